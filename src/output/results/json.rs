//! JSON as people read it: spread over lines near the top, one line an object further down.
//!
//! Knows nothing of what is written.

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;
use std::io;
use std::io::Write;

// Deep enough that each frame is spread out and each of its objects is one line.
const SPREAD: usize = 4;

/// Writes `value` as UTF-8 with a newline at the end.
pub(in crate::output) fn write<W: Write>(mut out: W, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut out, Layout::default());
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

// Where the serializer is: how many arrays and objects are open, and whether the innermost one
// has anything in it yet.
#[derive(Default)]
struct Layout {
    depth: usize,
    filled: bool,
}

impl Layout {
    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        let spread = self.filled && self.depth <= SPREAD;
        self.depth -= 1;
        self.filled = true;
        if spread {
            self.new_line(out)?;
        }
        out.write_all(bracket)
    }

    fn next<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        if self.depth <= SPREAD {
            self.new_line(out)
        } else if first {
            Ok(())
        } else {
            out.write_all(b" ")
        }
    }

    fn new_line<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::write;
    use serde_json::json;

    #[test]
    fn frames_are_spread_and_objects_are_lines() {
        let value = json!({
            "empty": [],
            "detections": [{"timestamp": 0.0, "detections": [
                {"bbox": [1.5, 2.0], "class": 0},
                {"bbox": [], "class": 1},
            ]}, {"detections": []}],
        });
        let mut text = Vec::new();
        write(&mut text, &value).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            r#"{
  "empty": [],
  "detections": [
    {
      "timestamp": 0.0,
      "detections": [
        {"bbox": [1.5, 2.0], "class": 0},
        {"bbox": [], "class": 1}
      ]
    },
    {
      "detections": []
    }
  ]
}
"#
        );
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back, value);
    }
}
