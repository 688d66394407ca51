use super::*;

fn lex(sql: &str) -> String {
    lex_with(sql, LexOptions::default())
}

fn lex_with(sql: &str, options: LexOptions) -> String {
    let mut lexer = Lexer::new(sql.as_bytes(), options);
    let mut parts = Vec::new();
    loop {
        match lexer.next() {
            Ok(Some(token)) => parts.push(format!("{:?}[{}]", token.kind, token.span.text(sql))),
            Ok(None) => return parts.join(" "),
            Err(error) => {
                parts.push(error.to_string());
                return parts.join(" ");
            }
        }
    }
}

#[test]
fn smoke() {
    assert_eq!(lex("t.1a"), "Word[t] Symbol(46)[.] Word[1a]");
    assert_eq!(
        lex("1a 1e5 1e 1.5e3 .5 1. 1e+ 1e5x"),
        "Word[1a] Float[1e5] Word[1e] Float[1.5e3] Decimal[.5] Decimal[1.] Word[1e] Symbol(43)[+] Float[1e5] Word[x]"
    );
    assert_eq!(
        lex("0x1F 0X1F 0x 0b01 0b2 x'1f' B'01' n'a'"),
        "Hex[0x1F] Word[0X1F] Word[0x] Bit[0b01] Word[0b2] Hex[x'1f'] Bit[B'01'] National[n'a']"
    );
}
