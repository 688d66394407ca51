# What the shell scenarios share. A step is a function that prints nothing and returns 0; what it says on its error
# output is the reason why it failed.

step() {
    local name=$1 function=$2 why
    if why=$("$function" 2>&1 >/dev/null); then
        echo "ok $name"
    else
        echo "not ok $name: $(tr '\n' ' ' <<<"$why" | cut -c1-300)"
    fi
}

# The last line of the arguments' output is this.
prints() {
    local expected=$1 got
    shift
    got=$("$@" 2>&1) || { echo "$got" >&2; return 1; }
    [ "$got" = "$expected" ] || { echo "printed '$got', not '$expected'" >&2; return 1; }
}

# It fails and its error names this number.
fails_with() {
    local number=$1 got
    shift
    if got=$("$@" 2>&1); then
        echo "error $number expected, printed '$got'" >&2
        return 1
    fi
    grep -q "$number" <<<"$got" || { echo "error $number expected, not '$got'" >&2; return 1; }
}

# The commands of a step stop at the first that fails.
set -o pipefail
