//! Forms: `multipart/form-data` (RFC 7578), made whole before it is sent, so that every attempt
//! sends the same bytes.

use crate::failure::Class;
use crate::failure::Failure;
use crate::template::Data;
use crate::template::Filled;
use bytes::Bytes;

/// A file that travels with a request.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// What it is called; servers go by the extension.
    pub name: String,
    /// What it is, such as `image/jpeg`.
    pub media_type: &'static str,
    /// What is in it.
    pub bytes: Bytes,
}

/// The form with the fields of `input`, whose files are among `files`; `boundary` stands in none of
/// them. A list is its field several times; what is no text is written as JSON.
///
/// # Errors
///
/// Of class `refused` where `input` has no fields, or one is a table with a file in it.
pub(in crate::backends) fn encode(
    input: &Filled,
    files: &[Attachment],
    boundary: &str,
) -> Result<Vec<u8>, Failure> {
    let Filled::Table(fields) = input else {
        return Err(refused("the request of the recipe has no fields"));
    };
    let mut form = Form {
        body: Vec::new(),
        files,
        boundary,
    };
    for (name, value) in fields {
        match value {
            Filled::List(items) => items.iter().try_for_each(|item| form.field(name, item))?,
            Filled::Data(data) => match data.items() {
                Some(items) => items.iter().try_for_each(|item| form.data(name, item))?,
                None => form.data(name, data)?,
            },
            table @ Filled::Table(_) => form.field(name, table)?,
        }
    }
    form.line(&format!("--{boundary}--"));
    Ok(form.body)
}

/// What a form is, for the header of its request.
pub(in crate::backends) fn media_type(boundary: &str) -> String {
    format!("multipart/form-data; boundary={boundary}")
}

struct Form<'a> {
    body: Vec<u8>,
    files: &'a [Attachment],
    boundary: &'a str,
}

impl Form<'_> {
    fn field(&mut self, name: &str, value: &Filled) -> Result<(), Failure> {
        match value {
            Filled::Data(data) => self.data(name, data),
            other => {
                let json =
                    serde_json::to_string(other).map_err(|error| refused(&error.to_string()))?;
                self.text(name, &json);
                Ok(())
            }
        }
    }

    fn data(&mut self, name: &str, data: &Data) -> Result<(), Failure> {
        if let Some(file) = data.as_file() {
            let file = self
                .files
                .get(file)
                .ok_or_else(|| refused("there is no such file"))?;
            self.open(name, Some(&file.name));
            self.line(&format!("content-type: {}", file.media_type));
            self.line("");
            self.body.extend_from_slice(&file.bytes);
            self.line("");
            return Ok(());
        }
        let text = match data.text() {
            Some(text) => text,
            None => serde_json::to_string(data).map_err(|error| refused(&error.to_string()))?,
        };
        self.text(name, &text);
        Ok(())
    }

    fn text(&mut self, name: &str, text: &str) {
        self.open(name, None);
        self.line("");
        self.line(text);
    }

    fn open(&mut self, name: &str, file: Option<&str>) {
        self.line(&format!("--{}", self.boundary));
        let mut head = format!("content-disposition: form-data; name=\"{}\"", quoted(name));
        if let Some(file) = file {
            head += &format!("; filename=\"{}\"", quoted(file));
        }
        self.line(&head);
    }

    fn line(&mut self, line: &str) {
        self.body.extend_from_slice(line.as_bytes());
        self.body.extend_from_slice(b"\r\n");
    }
}

// As browsers write what would end a name.
fn quoted(name: &str) -> String {
    let name = name.replace('"', "%22");
    name.replace('\r', "%0D").replace('\n', "%0A")
}

fn refused(why: &str) -> Failure {
    let message = format!("the form of the recipe cannot be made: {why}");
    Failure::new(Class::Refused, message)
}

#[cfg(test)]
mod tests {
    use super::Attachment;
    use super::encode;
    use crate::template::Data;
    use crate::template::Expressions;
    use crate::template::Names;
    use bytes::Bytes;
    use serde_json::Value;
    use serde_json::json;

    fn form(request: &Value) -> Result<String, String> {
        let names = Names::default()
            .with("file", Data::file(0))
            .with("files", Data::list([Data::file(0), Data::file(1)]));
        let filled = Expressions::default().fill(request, &names).unwrap();
        let file = |name: &str| Attachment {
            name: name.to_owned(),
            media_type: "image/jpeg",
            bytes: Bytes::from_static(b"JPEG"),
        };
        let form = encode(&filled, &[file("0.jpg"), file("1.jpg")], "B");
        form.map(|form| String::from_utf8(form).unwrap().replace("\r\n", "\n"))
            .map_err(|failure| failure.message)
    }

    #[test]
    fn fields_and_files_are_parts() {
        let request = json!({
            "file": "{{ file }}",
            "conf": "{{ 0.5 }}",
            "words[]": ["a", "b"],
            "flag": true,
            "options": { "a": [1] },
            "odd\"name\n": "x",
        });
        insta::assert_snapshot!(form(&request).unwrap(), @r#"
        --B
        content-disposition: form-data; name="file"; filename="0.jpg"
        content-type: image/jpeg

        JPEG
        --B
        content-disposition: form-data; name="conf"

        0.5
        --B
        content-disposition: form-data; name="words[]"

        a
        --B
        content-disposition: form-data; name="words[]"

        b
        --B
        content-disposition: form-data; name="flag"

        true
        --B
        content-disposition: form-data; name="options"

        {"a":[1]}
        --B
        content-disposition: form-data; name="odd%22name%0A"

        x
        --B--
        "#);
    }

    #[test]
    fn a_list_of_files_is_as_many_parts() {
        let form = form(&json!({ "images": "{{ files }}" })).unwrap();
        assert_eq!(form.matches("name=\"images\"; filename=").count(), 2);
    }

    #[test]
    fn a_file_is_no_json() {
        let wrong = form(&json!({ "options": { "image": "{{ file }}" } })).unwrap_err();
        assert!(wrong.contains("a file is no JSON"), "{wrong}");
        assert!(form(&json!("{{ file }}")).is_err());
    }
}
