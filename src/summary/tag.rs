//! Tags: the names of time series.

use std::borrow::Cow;

/// The name of a time series, with an optional description and display name.
///
/// Every logging method takes a `&str` or a `String` where its signature has a `Tag`. The dashboards group tags by the part
/// before the first `/`. Any text is a tag; an empty tag has an empty title. In one run, use a tag for one kind of data.
///
/// ```
/// # use summary_writer::{SummaryWriter, Tag};
/// # let summary = SummaryWriter::create_file_writer(tempfile::tempdir()?.path())?;
/// let loss = Tag::new("loss").description("**mean** over the batch").display_name("Loss");
/// for step in 0..3 {
///     summary.scalar(&loss, 1.0 / f64::from(step + 1), step);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) description: Cow<'a, str>,
    pub(crate) display_name: Cow<'a, str>,
}

impl<'a> Tag<'a> {
    /// Creates a tag without a description or a display name.
    pub fn new(name: impl Into<Cow<'a, str>>) -> Self {
        Self {
            name: name.into(),
            description: Cow::Borrowed(""),
            display_name: Cow::Borrowed(""),
        }
    }

    /// Sets a description in Markdown, which the dashboards show at an information icon. Default: none.
    ///
    /// The loaders take it from the first value of the tag in a run.
    ///
    /// A scalar with a description or a display name is written as a tensor, as `tf.summary.scalar` writes every scalar, because
    /// the fast loader shows them only there. TensorBoard draws it like any other. Tools that read only the plain form of a
    /// scalar (`simple_value`) do not list it as one: tbparse, tensorboard-reducer, and the scalars of TensorBoard's
    /// `EventAccumulator`. For such tools, log scalars without a description.
    #[must_use]
    pub fn description(mut self, markdown: impl Into<Cow<'a, str>>) -> Self {
        self.description = markdown.into();
        self
    }

    /// Sets a name that all dashboards but Time Series show instead of the tag. Default: none.
    ///
    /// Other tools may not find a scalar with a display name: see [`description`](Self::description).
    #[must_use]
    pub fn display_name(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.display_name = name.into();
        self
    }

    /// Copies what the tag borrows.
    pub(crate) fn into_owned(self) -> Tag<'static> {
        Tag {
            name: self.name.into_owned().into(),
            description: self.description.into_owned().into(),
            display_name: self.display_name.into_owned().into(),
        }
    }

    /// Whether the tag has neither a description nor a display name.
    pub(crate) fn is_plain(&self) -> bool {
        self.description.is_empty() && self.display_name.is_empty()
    }
}

impl<'a> From<&'a str> for Tag<'a> {
    fn from(name: &'a str) -> Self {
        Self::new(name)
    }
}

/// A key of a map that is borrowed.
impl<'a> From<&&'a str> for Tag<'a> {
    fn from(name: &&'a str) -> Self {
        Self::new(*name)
    }
}

impl<'a> From<&'a String> for Tag<'a> {
    fn from(name: &'a String) -> Self {
        Self::new(name)
    }
}

impl From<String> for Tag<'_> {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl<'a> From<Cow<'a, str>> for Tag<'a> {
    fn from(name: Cow<'a, str>) -> Self {
        Self::new(name)
    }
}

impl<'a> From<&'a Tag<'_>> for Tag<'a> {
    fn from(tag: &'a Tag<'_>) -> Self {
        Self {
            name: Cow::Borrowed(&tag.name),
            description: Cow::Borrowed(&tag.description),
            display_name: Cow::Borrowed(&tag.display_name),
        }
    }
}
