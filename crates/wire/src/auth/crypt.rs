//! The SHA-256 crypt that MySQL keeps of a `caching_sha2_password` account's password.
//!
//! The algorithm is [crypt's](https://www.akkadia.org/drepper/SHA-crypt.txt) but for the salt: MySQL takes all 20
//! bytes of its own, where crypt (and the libraries of it) stop at 16.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The order in which crypt writes the bytes of the digest, three at a time.
const ORDER: [[usize; 3]; 10] = [
    [0, 10, 20],
    [21, 1, 11],
    [12, 22, 2],
    [3, 13, 23],
    [24, 4, 14],
    [15, 25, 5],
    [6, 16, 26],
    [27, 7, 17],
    [18, 28, 8],
    [9, 19, 29],
];

/// The digest of a password, in crypt's base 64. It takes milliseconds, as it is meant to.
///
/// The work grows with the password's length squared in one place, so the caller bounds the length.
#[must_use]
pub fn sha256_crypt(password: &[u8], salt: &[u8; 20], rounds: u32) -> [u8; 43] {
    let mut digest = first_digest(password, salt);
    let p = repeated(&digest_of_repetitions(password, password.len()), password.len());
    let s = repeated(&digest_of_repetitions(salt, 16 + usize::from(digest[0])), salt.len());
    for round in 0..rounds {
        let mut hash = Sha256::new();
        hash.update(if round % 2 == 1 { &p[..] } else { &digest });
        if round % 3 != 0 {
            hash.update(&s);
        }
        if round % 7 != 0 {
            hash.update(&p);
        }
        hash.update(if round % 2 == 1 { &digest[..] } else { &p });
        digest = hash.finalize().into();
    }
    encode(&digest)
}

/// "Digest A" of the specification.
fn first_digest(password: &[u8], salt: &[u8; 20]) -> [u8; 32] {
    let b: [u8; 32] =
        Sha256::new().chain_update(password).chain_update(salt).chain_update(password).finalize().into();
    let mut a = Sha256::new().chain_update(password).chain_update(salt);
    a.update(repeated(&b, password.len()));
    let mut length = password.len();
    while length > 0 {
        if length & 1 == 1 {
            a.update(b)
        } else {
            a.update(password)
        }
        length >>= 1;
    }
    a.finalize().into()
}

fn digest_of_repetitions(text: &[u8], times: usize) -> [u8; 32] {
    (0..times).fold(Sha256::new(), |hash, _| hash.chain_update(text)).finalize().into()
}

/// The digest, over and over, to this length.
fn repeated(digest: &[u8; 32], length: usize) -> Vec<u8> {
    digest.iter().copied().cycle().take(length).collect()
}

fn encode(digest: &[u8; 32]) -> [u8; 43] {
    let mut out = [0; 43];
    for (chunk, [high, middle, low]) in out.chunks_mut(4).zip(ORDER) {
        write(chunk, u32::from_be_bytes([0, digest[high], digest[middle], digest[low]]));
    }
    write(&mut out[40..], u32::from_be_bytes([0, 0, digest[31], digest[30]]));
    out
}

/// The low bits first, six for each character.
fn write(out: &mut [u8], mut bits: u32) {
    for character in out {
        *character = ALPHABET[(bits & 63) as usize];
        bits >>= 6;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Password, salt, digest.
    const ACCOUNTS: [(&str, &[u8; 20], &str); 2] = [
        (
            "secret",
            b"\x5e\x6c\x5b\x55\x64\x03\x7c\x11\x3a\x2e\x7f\x7c\x47\x6b\x56\x0b\x3f\x55\x33\x46",
            "wDiRQ18/tN93M/1CEwGhzo/Ymu99LC1CwesRks6oRx8",
        ),
        (
            "Zoë 😀 a password that is longer than thirty-two bytes, by far",
            b"\x37\x73\x39\x1e\x47\x45\x5a\x22\x0e\x20\x04\x15\x05\x02\x20\x28\x5d\x40\x1a\x0c",
            "BnxpJl2a3YdbywviDZ7PlaZJEMLzgEmkLJyF7H3gfj6",
        ),
    ];

    /// `authentication_string` of accounts on MySQL 9.7.
    #[test]
    fn digests_are_mysqls() {
        for (password, salt, digest) in ACCOUNTS {
            let got = sha256_crypt(password.as_bytes(), salt, 10_000);
            assert_eq!(String::from_utf8_lossy(&got), *digest, "{password}");
            assert_ne!(sha256_crypt(b"other", salt, 10_000), got);
        }
    }
}
