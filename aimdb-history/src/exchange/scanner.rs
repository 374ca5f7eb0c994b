//! Walking over the members of an object without making values of them. The text is JSON: a backend has seen to that.

/// Stands between two members of an object.
pub(crate) struct Scanner<'j> {
    text: &'j str,
    at: usize,
}

impl<'j> Scanner<'j> {
    /// `None` of what is no object.
    pub(crate) fn of_object(text: &'j str) -> Option<Self> {
        let mut scanner = Self { text, at: 0 };
        scanner.skip(b'{').then_some(scanner)
    }

    /// The next member: its name in quotes, and its value. `None` at the end, and where the text is no JSON.
    pub(crate) fn member(&mut self) -> Option<(&'j str, &'j str)> {
        self.skip(b',');
        let name = self.string()?;
        if !self.skip(b':') {
            return None;
        }
        Some((name, self.value()?))
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.byte().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Goes over this byte, if it is the next.
    fn skip(&mut self, wanted: u8) -> bool {
        self.skip_space();
        let is_next = self.byte() == Some(wanted);
        self.at += usize::from(is_next);
        is_next
    }

    fn string(&mut self) -> Option<&'j str> {
        self.skip_space();
        let start = self.at;
        if self.byte()? != b'"' {
            return None;
        }
        loop {
            self.at += 1;
            match self.byte()? {
                b'\\' => self.at += 1,
                b'"' => break,
                _ => {}
            }
        }
        self.at += 1;
        self.text.get(start..self.at)
    }

    fn value(&mut self) -> Option<&'j str> {
        self.skip_space();
        let start = self.at;
        match self.byte()? {
            b'"' => return self.string(),
            b'{' | b'[' => self.nested()?,
            _ => {
                let is_over =
                    |byte: u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                while self.byte().is_some_and(|byte| !is_over(byte)) {
                    self.at += 1;
                }
            }
        }
        self.text.get(start..self.at)
    }

    /// Goes over an object or a list.
    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.byte()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Vec<(&str, &str)> {
        let mut scanner = Scanner::of_object(text);
        std::iter::from_fn(|| scanner.as_mut()?.member()).collect()
    }

    #[test]
    fn members_are_found_whatever_stands_in_them() {
        let text = r#" { "a" : 1.50 , "b\"}":"x,\"}]\\" ,"c":{"d":[{"e":"]"}]},"f":[ ],"東":null}"#;
        let expected = [
            (r#""a""#, "1.50"),
            (r#""b\"}""#, r#""x,\"}]\\""#),
            (r#""c""#, r#"{"d":[{"e":"]"}]}"#),
            (r#""f""#, "[ ]"),
            (r#""東""#, "null"),
        ];
        assert_eq!(members(text), expected);
        for none in [
            "{}", "3", "[1]", "\"{\"", "", "{", "{\"a", "{\"a\":{", "{\"a\"}",
        ] {
            assert!(members(none).is_empty(), "{none}");
        }
    }
}
