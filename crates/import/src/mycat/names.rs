//! Names with ranges: `dn$1-3,dn5`.

/// More names than this are a slip of the hand.
const MOST: u32 = 65_536;

/// The names, in Mycat's order.
pub(super) fn expand(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let Some((prefix, range)) = part.split_once('$') else {
            names.push(part.to_owned());
            continue;
        };
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| text.trim().parse::<u32>().ok();
        match (number(low), number(high)) {
            (Some(low), Some(high)) if low <= high && high - low < MOST => {
                names.extend((low..=high).map(|number| format!("{prefix}{number}")));
            }
            _ => return Err(format!("`{part}` is not a range of names")),
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let names = expand("dn$1-3, dn5,db$07").expect("names");
        assert_eq!(names, ["dn1", "dn2", "dn3", "dn5", "db7"]);
        assert!(expand("dn$3-1").is_err());
        assert!(expand("dn$0-99999999999").is_err());
        assert!(expand("dn$a-b").is_err());
    }
}
