//! The profile of a detection model: what its file says about input, output and classes, and
//! whether that is a detector at all.
//!
//! Knows nothing of engines or frames.

use crate::backends::engine::header::FLOAT16;
use crate::backends::engine::header::FLOAT32;
use crate::backends::engine::header::Header;
use crate::backends::engine::header::Port;
use crate::backends::models::yolo::layout::Clues;
use crate::backends::models::yolo::layout::Layout;
use crate::backends::models::yolo::literal::Literal;
use crate::item::Size;
use std::sync::Arc;

/// The longest side of an input that is taken to be meant.
const LONGEST_SIDE: usize = 16_384;

/// The most classes that a model is taken to know.
const MOST_CLASSES: usize = 100_000;

/// Why a model has no profile.
#[derive(Debug, PartialEq)]
pub(in crate::backends) enum Misfit {
    /// It is something else, in words that follow its name.
    NotADetector(String),
    /// It knows another number of classes than there are names for.
    Names { known: usize, given: usize },
}

impl From<String> for Misfit {
    fn from(found: String) -> Self {
        Self::NotADetector(found)
    }
}

/// What a detection model takes and gives.
#[derive(Debug)]
pub(in crate::backends) struct Profile {
    /// The size of its input; `None` where it takes what it is given.
    pub(in crate::backends) fixed_size: Option<Size>,
    /// The number that the sides of a free input must be multiples of.
    pub(in crate::backends) stride: u32,
    /// The names of its classes by index; empty where nothing says how many there are.
    pub(in crate::backends) classes: Vec<Arc<str>>,
    named: bool,
    ultralytics: bool,
}

impl Profile {
    /// Reads the profile of a model, with class names from elsewhere if `names` are given.
    pub(in crate::backends) fn read(
        header: &Header,
        names: Option<Vec<Arc<str>>>,
    ) -> Result<Self, Misfit> {
        let task = header.metadata.get("task").map(String::as_str);
        if let Some(task) = task.filter(|task| *task != "detect") {
            return Err(format!("is a model for the task `{task}`, not `detect`").into());
        }
        // Its boxes are shares of a stretched frame; that it is for `detect` says too little.
        if header.metadata.get("head").map(String::as_str) == Some("RTDETRDecoder") {
            return Err("is an RT-DETR model, not a YOLO one".to_owned().into());
        }
        let (input, output) = match (&header.inputs[..], &header.outputs[..]) {
            ([input], [output, ..]) => (input, output),
            (inputs, _) => {
                return Err(format!("has {} inputs, not one frame", inputs.len()).into());
            }
        };
        let written = header.metadata.get("names").and_then(|text| classes(text));
        if let (Some(given), Some(written)) = (&names, &written)
            && given.len() != written.len()
        {
            return Err(Misfit::Names {
                known: written.len(),
                given: given.len(),
            });
        }
        let classes = names.or(written);
        let mut profile = Self {
            fixed_size: frame_size(input)?,
            stride: stride(header),
            named: classes.is_some(),
            classes: classes.unwrap_or_default(),
            ultralytics: task.is_some(),
        };
        // An output of unknown rank shows itself when the model has run.
        if !output.dims.is_empty() {
            let (_, count) = profile.layout(&output.dims)?;
            if !profile.named {
                let numbered = (0..count.unwrap_or(0).min(MOST_CLASSES)).map(number);
                profile.classes = numbered.collect();
            }
        }
        Ok(profile)
    }

    /// The layout of an output with these dimensions; an error in words that follow the name
    /// of the model.
    pub(in crate::backends) fn layout(
        &self,
        dims: &[Option<usize>],
    ) -> Result<(Layout, Option<usize>), String> {
        let clues = Clues {
            dims,
            classes: self.named.then_some(self.classes.len()),
            ultralytics: self.ultralytics,
        };
        clues
            .layout()
            .map_err(|why| format!("is not a detector that is known here: its output {why}"))
    }

    /// The size that frames are fitted to where the recipe asks for `imgsz`.
    pub(in crate::backends) fn target(&self, imgsz: u32) -> Size {
        self.fixed_size.unwrap_or_else(|| {
            let longest = LONGEST_SIDE as u32;
            let side = imgsz.clamp(1, longest).next_multiple_of(self.stride);
            Size {
                width: side,
                height: side,
            }
        })
    }

    /// The name of a class: its index where it has none.
    pub(in crate::backends) fn class_name(&self, class: u32) -> Arc<str> {
        let known = self.classes.get(class as usize);
        known.map_or_else(|| number(class as usize), Arc::clone)
    }
}

fn number(class: usize) -> Arc<str> {
    class.to_string().into()
}

/// The names in a model's metadata: a dict by index or a list.
fn classes(written: &str) -> Option<Vec<Arc<str>>> {
    let name = |value: &Literal| match value {
        Literal::Text(name) => Some(name.as_str().into()),
        _ => None,
    };
    match Literal::parse(written)? {
        Literal::List(names) => names.iter().map(name).collect(),
        Literal::Dict(entries) => {
            let mut names: Vec<Arc<str>> = Vec::new();
            for (key, value) in &entries {
                let Literal::Number(index) = key else {
                    return None;
                };
                let index = *index as usize;
                if index >= MOST_CLASSES {
                    return None;
                }
                names.extend((names.len()..=index).map(number));
                names[index] = name(value)?;
            }
            Some(names)
        }
        _ => None,
    }
    .filter(|names: &Vec<_>| !names.is_empty())
}

fn stride(header: &Header) -> u32 {
    let written = header.metadata.get("stride");
    let stride = written.and_then(|text| text.trim().parse::<f64>().ok());
    stride
        .filter(|stride| (1.0..=256.0).contains(stride))
        .map_or(32, |stride| stride as u32)
}

/// The size that an input insists on; an error if it takes no RGB frame, one at a time.
fn frame_size(input: &Port) -> Result<Option<Size>, String> {
    if ![FLOAT32, FLOAT16].contains(&input.element) {
        return Err("takes something other than floating-point pixels".to_owned());
    }
    let &[batch, channels, height, width] = &input.dims[..] else {
        return Err("takes no 1x3xHxW frame".to_owned());
    };
    if let Some(channels) = channels.filter(|channels| *channels != 3) {
        return Err(format!("takes frames of {channels} channels, not 3"));
    }
    if let Some(batch) = batch.filter(|batch| *batch != 1) {
        return Err(format!(
            "was exported for {batch} frames at once; export it with batch=1"
        ));
    }
    match (width, height) {
        (Some(width), Some(height)) if width.max(height) <= LONGEST_SIDE => Ok(Some(Size {
            width: width as u32,
            height: height as u32,
        })),
        (None, None) => Ok(None),
        (None, Some(_)) | (Some(_), None) => Err("takes frames with one free side".to_owned()),
        _ => Err("takes frames of more than 16384 pixels a side".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::Header;
    use super::Misfit;
    use super::Port;
    use super::Profile;
    use super::classes;
    use crate::backends::engine::header::FLOAT32;

    fn port(dims: &[usize]) -> Port {
        Port {
            name: String::new(),
            element: FLOAT32,
            dims: dims.iter().map(|&n| (n > 0).then_some(n)).collect(),
        }
    }

    fn header(metadata: &[(&str, &str)], input: &[usize], output: &[usize]) -> Header {
        Header {
            metadata: metadata
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            inputs: vec![port(input)],
            outputs: vec![port(output)],
            ..Header::default()
        }
    }

    fn names(profile: &Profile) -> Vec<&str> {
        profile.classes.iter().map(AsRef::as_ref).collect()
    }

    #[test]
    fn names_are_read_from_dicts_and_lists() {
        let read = |text| classes(text).map(|names| names.join("|"));
        assert_eq!(read("{0: 'a', 1: \"it's\"}").as_deref(), Some("a|it's"));
        assert_eq!(read("{2: 'c', 0: 'a'}").as_deref(), Some("a|1|c"));
        assert_eq!(read("['a', 'b']").as_deref(), Some("a|b"));
        for bad in ["{}", "{0: 1}", "{'a': 'b'}", "{99999999999: 'a'}", "person"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_model_without_names_has_numbers() {
        let header = header(&[("stride", "64")], &[0, 3, 0, 0], &[0, 7, 0]);
        let profile = Profile::read(&header, None).unwrap();
        assert_eq!(names(&profile), ["0", "1", "2"]);
        assert_eq!(&*profile.class_name(9), "9");
        assert_eq!(profile.target(100).width, 128);
        let given = Some(vec!["a".into(), "b".into(), "c".into()]);
        assert_eq!(
            names(&Profile::read(&header, given).unwrap()),
            ["a", "b", "c"]
        );
    }

    #[test]
    fn what_is_not_a_detector_is_told_as_what_it_is() {
        let frame = [1, 3, 64, 64];
        for (header, expected) in [
            (
                header(&[("task", "segment")], &frame, &[1, 37, 84]),
                "is a model for the task `segment`, not `detect`",
            ),
            (
                header(&[("head", "RTDETRDecoder")], &frame, &[1, 300, 84]),
                "is an RT-DETR model, not a YOLO one",
            ),
            (
                header(&[], &frame, &[1, 1000]),
                "is not a detector that is known here: its output has the shape 1x1000, not 1x?x?",
            ),
            (header(&[], &[1, 10], &[1, 2, 3]), "takes no 1x3xHxW frame"),
            (
                header(&[], &[1, 1, 64, 64], &[1, 7, 84]),
                "takes frames of 1 channels, not 3",
            ),
            (
                header(&[], &[8, 3, 64, 64], &[8, 7, 84]),
                "was exported for 8 frames at once; export it with batch=1",
            ),
            (
                header(&[], &[1, 3, 70_000, 64], &[1, 7, 84]),
                "takes frames of more than 16384 pixels a side",
            ),
            (
                header(&[("names", "['a']")], &frame, &[1, 7, 84]),
                "is not a detector that is known here: its output has the shape 1x7x84; \
                 a detector of 1 classes has 1x5xN, or 1xNx6 end to end",
            ),
        ] {
            let misfit = Profile::read(&header, None).unwrap_err();
            assert_eq!(misfit, Misfit::NotADetector(expected.to_owned()));
        }
    }

    #[test]
    fn names_that_are_too_few_are_refused() {
        let header = header(&[("names", "['a', 'b']")], &[1, 3, 64, 64], &[1, 6, 84]);
        assert_eq!(
            Profile::read(&header, Some(vec!["x".into()])).unwrap_err(),
            Misfit::Names { known: 2, given: 1 }
        );
    }
}
