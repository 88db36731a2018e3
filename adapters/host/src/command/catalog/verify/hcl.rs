//! Looks settings up in Terraform's language, by block and name, with the lines they stand on.
//!
//! It reads what `terraform fmt` writes: a block opens at the end of a line and closes on a line of its own, and a
//! setting begins a line. What is written otherwise is not found: inside of a block that is said as if it were missing,
//! and outside [`Hcl::unread`] names it.

use std::ops::RangeInclusive;

/// A file's lines.
pub(super) struct Hcl<'a> {
    lines: Vec<&'a str>,
}

/// A block of a file.
pub(super) struct Block<'a> {
    /// The line that opens it, from 1.
    pub(super) line: usize,
    /// What that line says before the brace.
    pub(super) header: &'a str,
    /// The line that closes it, from 1.
    end: usize,
    lines: &'a [&'a str],
}

/// A statement of a policy document.
pub(super) struct Statement {
    /// The line that opens it, from 1.
    pub(super) line: usize,
    pub(super) sid: String,
    /// For what it is there, as written without spaces and line ends; empty where it always is.
    pub(super) for_each: String,
    /// As written; empty where it is not, which allows.
    pub(super) effect: String,
    /// As written, without spaces and line ends.
    pub(super) actions: String,
    /// As written, without spaces and line ends.
    pub(super) resources: String,
}

impl<'a> Hcl<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { lines: text.lines().collect() }
    }

    /// The blocks that stand in no other.
    pub(super) fn blocks(&'a self) -> Vec<Block<'a>> {
        let mut blocks = Vec::new();
        let mut at = 0;
        while at < self.lines.len() {
            if let Some(header) = self.lines[at].strip_suffix(" {}") {
                blocks.push(Block { line: at + 1, end: at + 1, header, lines: &[] });
                at += 1;
                continue;
            }
            let header =
                self.lines[at].strip_suffix(" {").filter(|line| line.starts_with(char::is_alphabetic));
            let Some(header) = header else {
                at += 1;
                continue;
            };
            // A closing brace of the outermost block is the first that is not indented.
            let inside =
                self.lines[at..].iter().position(|line| *line == "}").unwrap_or(self.lines.len() - at);
            blocks.push(Block {
                line: at + 1,
                end: at + inside + 1,
                header,
                lines: &self.lines[at + 1..at + inside],
            });
            at += inside;
        }
        blocks
    }

    /// The lines, from 1, that are none of a block, and neither empty nor a comment.
    pub(super) fn unread(&self) -> Vec<usize> {
        let blocks: Vec<_> = self.blocks().iter().map(Block::lines).collect();
        let is_read = |line: usize| blocks.iter().any(|block| block.contains(&line));
        let lines = self.lines.iter().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let said = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        said.map(|(line, _)| line).filter(|line| !is_read(*line)).collect()
    }
}

impl Block<'_> {
    /// The lines from the one that opens it to the one that closes it.
    pub(super) fn lines(&self) -> RangeInclusive<usize> {
        self.line..=self.end
    }

    /// All that it says, without comments and white space.
    pub(super) fn words(&self) -> String {
        let lines = self.lines.iter().filter(|line| !line.trim_start().starts_with('#'));
        let said = lines.map(|line| line.split_once(" #").map_or(*line, |(before, _)| before));
        said.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect()
    }

    /// A setting in the block or in one inside it: its line and its value.
    pub(super) fn setting(&self, name: &str) -> Option<(usize, &str)> {
        self.lines.iter().enumerate().find_map(|(offset, line)| {
            let value = line.trim_start().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim();
            // A comment behind it is no part of it.
            let value = value.split_once(" #").map_or(value, |(before, _)| before.trim_end());
            Some((self.line + 1 + offset, value))
        })
    }

    /// The line of a setting of that name, or of a block of it, in the block or in one inside it.
    pub(super) fn mention(&self, name: &str) -> Option<usize> {
        let opens = [format!("{name} {{"), format!("dynamic \"{name}\" {{")];
        let blocks = self.lines.iter().position(|line| opens.iter().any(|open| line.trim() == open));
        self.setting(name).map(|(line, _)| line).or(blocks.map(|offset| self.line + 1 + offset))
    }

    /// The statements of a policy document, static and dynamic ones.
    pub(super) fn statements(&self) -> Vec<Statement> {
        let opens = |line: &str| line == "statement {" || line.starts_with("dynamic \"statement\" {");
        let starts: Vec<usize> =
            self.lines.iter().enumerate().filter(|(_, line)| opens(line.trim())).map(|(at, _)| at).collect();
        let ends = starts.iter().skip(1).copied().chain([self.lines.len()]);
        let each = starts.iter().zip(ends);
        each.map(|(start, end)| {
            let lines = &self.lines[*start..end];
            Statement {
                line: self.line + 1 + start,
                sid: whole(lines, "sid"),
                for_each: whole(lines, "for_each"),
                effect: whole(lines, "effect"),
                actions: whole(lines, "actions"),
                resources: whole(lines, "resources"),
            }
        })
        .collect()
    }
}

/// A setting with all of its lines, without spaces and comments; empty where there is none.
fn whole(lines: &[&str], name: &str) -> String {
    let value =
        |line: &str| Some(line.trim_start().strip_prefix(name)?.trim_start().strip_prefix('=')?.to_owned());
    let Some((at, first)) = lines.iter().enumerate().find_map(|(at, line)| Some((at, value(line)?))) else {
        return String::new();
    };
    let mut text = String::new();
    for line in [first.as_str()].into_iter().chain(lines[at + 1..].iter().copied()) {
        let line = line.split_once(" #").map_or(line, |(before, _)| before);
        text.extend(line.chars().filter(|c| !c.is_whitespace()));
        let open = |pair: &[char]| text.matches(pair).count();
        if open(&['[', '(', '{']) <= open(&[']', ')', '}']) {
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# resource \"none\" \"here\" {
resource \"aws_sqs_queue\" \"dead\" {
  name = \"a\" # why
}

resource \"aws_sqs_queue\" \"function\" {
  # batch_size = 1
  redrive_policy = jsonencode({
    maxReceiveCount = 100
  })
}
";

    #[test]
    fn a_setting_is_found_in_its_block_with_its_line() {
        let hcl = Hcl::of(TEXT);
        let blocks = hcl.blocks();
        let headers: Vec<_> = blocks.iter().map(|block| (block.line, block.header)).collect();
        let headers_there =
            [(2, "resource \"aws_sqs_queue\" \"dead\""), (6, "resource \"aws_sqs_queue\" \"function\"")];
        assert_eq!(headers, headers_there);
        assert_eq!(blocks[0].setting("name"), Some((3, "\"a\"")));
        assert_eq!(blocks[1].setting("maxReceiveCount"), Some((9, "100")));
        assert_eq!(blocks[1].setting("batch_size"), None, "a comment says nothing");
        assert_eq!(blocks[1].setting("name"), None, "another block's setting is not its own");
    }
}
