//! The layout of the custom scalars dashboard: which charts it shows.

mod pattern;

use prost::Message;

use super::{Tag, plugin, tensor_value};
use crate::error::{Error, Result};
use crate::proto;
use crate::proto::chart::Content;
use crate::proto::margin_chart_content::Series;
use crate::proto::summary::Value;
use crate::proto::{
    Chart, DataClass, DataType, MarginChartContent, MultilineChartContent, TensorProto,
};

/// The only tag that the dashboard reads.
const TAG: &str = "custom_scalars__config__";

/// The page of the custom scalars dashboard: categories of charts, in the order of the calls.
///
/// The charts draw scalars that are logged as usual, before or after the layout, in any run. Log the layout once, by
/// [`SummaryWriter::custom_scalars`](crate::SummaryWriter::custom_scalars). The dashboard cannot draw a tag with a `(`, and
/// may not draw the rest of its chart, because the dashboard takes the rest for the name of a run.
///
/// ```
/// use summary_writer::custom_scalars::{Category, Layout, Margin};
///
/// let layout = Layout::new()
///     .category(
///         Category::new("training")?
///             .multiline("loss", ["loss/.*"])?
///             .margin("accuracy", [Margin::new("acc/mean", "acc/lower", "acc/upper")])?,
///     )
///     .category(Category::new("details")?.multiline("gradients", ["grad/norm$", "grad/max$"])?.closed(true));
/// # Ok::<(), summary_writer::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Layout(proto::Layout);

impl Layout {
    /// Creates a page without categories.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a category at the end of the page.
    pub fn category(mut self, category: Category) -> Self {
        self.0.category.push(category.0);
        self
    }
}

/// Charts under one title, in the order of the calls. Without charts only the title is shown.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Category(proto::Category);

impl Category {
    /// Creates a category without charts.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `title` is empty.
    pub fn new(title: impl Into<String>) -> Result<Self> {
        Ok(Self(proto::Category {
            title: not_empty("category title", title.into())?,
            ..Default::default()
        }))
    }

    /// Adds a chart with a line for each tag that one of `tags` matches, in each run.
    ///
    /// `tags` are regular expressions of Python's `re`, matched from the start of a tag: `loss` also matches `loss/train`,
    /// but not `total loss`; `loss$` matches only `loss`. [`literal`](Self::literal) makes a pattern that matches
    /// only the given tag.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `title` is empty, if there are no `tags`, or if one of them is empty or not an expression that
    /// Python accepts. The dashboard would show no line for it. References to groups that do not exist and a few other
    /// mistakes are not found.
    #[doc(alias = "add_custom_scalars_multilinechart")]
    pub fn multiline<T: Into<String>>(
        self,
        title: impl Into<String>,
        tags: impl IntoIterator<Item = T>,
    ) -> Result<Self> {
        let title = not_empty("chart title", title.into())?;
        let tag: Vec<String> = tags.into_iter().map(Into::into).collect();
        if tag.is_empty() {
            return Err(no_series("multiline tags", &title));
        }
        if let Some(i) = tag.iter().position(String::is_empty) {
            let problem =
                format!("expected no empty pattern, got \"\" at index {i} of chart {title:?}");
            return Err(Error::invalid("multiline tags", problem));
        }
        for pattern in &tag {
            pattern::check(pattern, tag.len() == 1).map_err(|found| {
                let problem = format!(
                    "expected a regular expression of Python in chart {title:?}, got {pattern:?} with {found}; \
                     `Category::literal` takes a tag as it is"
                );
                Error::invalid("multiline tags", problem)
            })?;
        }
        Ok(self.chart(title, Content::Multiline(MultilineChartContent { tag })))
    }

    /// Returns a pattern for [`multiline`](Self::multiline) that matches only the tag `tag`. The dashboard cannot draw
    /// a tag with a `(`.
    ///
    /// ```
    /// use summary_writer::custom_scalars::Category;
    ///
    /// let charts = Category::new("training")?.multiline("rates", [Category::literal("rate [%]"), "loss/.*".into()])?;
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    #[must_use]
    pub fn literal(tag: impl AsRef<str>) -> String {
        let mut pattern = String::new();
        for c in tag.as_ref().chars() {
            if r"\.+*?()|[]{}^$".contains(c) {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        // Unlike `$`, this does not match before a line break.
        pattern + r"\Z"
    }

    /// Adds a chart with a line and the area around it for each of `margins`, in each run that has the three tags.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `title` is empty, if there are no `margins`, if one of their tags is empty, or if the tag
    /// of a line has a `(`.
    #[doc(alias = "add_custom_scalars_marginchart")]
    pub fn margin(
        self,
        title: impl Into<String>,
        margins: impl IntoIterator<Item = Margin>,
    ) -> Result<Self> {
        let title = not_empty("chart title", title.into())?;
        let series: Vec<Series> = margins.into_iter().map(|margin| margin.0).collect();
        if series.is_empty() {
            return Err(no_series("margins", &title));
        }
        for (i, margin) in series.iter().enumerate() {
            let tags = [&margin.value, &margin.lower, &margin.upper];
            if tags.iter().any(|tag| tag.is_empty()) {
                let problem =
                    format!("expected no empty tag, got {tags:?} at index {i} of chart {title:?}");
                return Err(Error::invalid("margins", problem));
            }
            if margin.value.contains('(') {
                let problem = format!(
                    "expected a tag without `(`, because the dashboard takes the rest of it for the name of a run, \
                     got {:?} at index {i} of chart {title:?}",
                    margin.value
                );
                return Err(Error::invalid("margins", problem));
            }
        }
        Ok(self.chart(title, Content::Margin(MarginChartContent { series })))
    }

    /// Sets whether the category is collapsed at first. Default: `false`.
    pub fn closed(mut self, closed: bool) -> Self {
        self.0.closed = closed;
        self
    }

    fn chart(mut self, title: String, content: Content) -> Self {
        self.0.chart.push(Chart {
            title,
            content: Some(content),
        });
        self
    }
}

fn not_empty(what: &'static str, text: String) -> Result<String> {
    if text.is_empty() {
        return Err(Error::invalid(what, "expected text, got none"));
    }
    Ok(text)
}

fn no_series(what: &'static str, title: &str) -> Error {
    Error::invalid(
        what,
        format!("expected at least 1 in chart {title:?}, got none"),
    )
}

/// The tags of three scalars: a line, and the lower and upper bound of the area around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Margin(Series);

impl Margin {
    /// Takes three whole tags, not patterns. Log them at the same steps: if the steps differ, the chart reports that and
    /// leaves out the margin.
    pub fn new(
        value: impl Into<String>,
        lower: impl Into<String>,
        upper: impl Into<String>,
    ) -> Self {
        Self(Series {
            value: value.into(),
            lower: lower.into(),
            upper: upper.into(),
        })
    }
}

pub(crate) fn custom_scalars(layout: &Layout) -> Value {
    let tensor = TensorProto {
        dtype: DataType::DtString.into(),
        string_val: vec![layout.0.encode_to_vec()],
        ..Default::default()
    };
    let tag = Tag::new(TAG);
    tensor_value(
        "",
        &tag,
        plugin("custom_scalars"),
        DataClass::Tensor,
        tensor,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_one_string_with_the_tag_of_the_dashboard() {
        let category = Category::new("c").unwrap();
        let category = category.multiline("l", ["a", "b.*"]).unwrap();
        let category = category.margin("m", [Margin::new("v", "x", "y")]).unwrap();
        let got = custom_scalars(&Layout::new().category(category.closed(true)));
        // Summary.Value, assembled by hand from the wire format; a length is before the bytes that it counts.
        let want = [
            &b"\x0a\x18custom_scalars__config__"[..],         // tag
            b"\x42\x2c\x08\x07",                              // tensor: DT_STRING, no shape
            b"\x42\x28\x12\x26\x0a\x01c",                     // string_val: Layout: category: title
            b"\x12\x0d\x0a\x01l\x12\x08\x0a\x01a\x0a\x03b.*", // chart: title, multiline: two tags
            b"\x12\x10\x0a\x01m\x1a\x0b\x0a\x09",             // chart: title, margin: series
            b"\x0a\x01v\x12\x01x\x1a\x01y",                   // its value, lower, upper
            b"\x18\x01",                                      // closed
            b"\x4a\x14\x0a\x10\x0a\x0ecustom_scalars",        // metadata: plugin_data: plugin_name
            b"\x20\x02",                                      // data_class: DATA_CLASS_TENSOR
        ]
        .concat();
        assert_eq!(got.encode_to_vec(), want);
    }

    #[test]
    fn an_invalid_chart_is_rejected_with_the_reason() {
        let category = || Category::new("c").unwrap();
        let none: [&str; 0] = [];
        let good = Margin::new("v", "l", "u");
        for (result, want) in [
            (Category::new(""), "category title: expected text, got none"),
            (
                category().multiline("", ["a"]),
                "chart title: expected text, got none",
            ),
            (
                category().multiline("loss", none),
                "multiline tags: expected at least 1 in chart \"loss\", got none",
            ),
            (
                category().multiline("loss", ["a", ""]),
                "multiline tags: expected no empty pattern, got \"\" at index 1 of chart \"loss\"",
            ),
            (
                category().multiline("loss", ["a", "b("]),
                "multiline tags: expected a regular expression of Python in chart \"loss\", got \"b(\" with a `(` without a `)`; \
                 `Category::literal` takes a tag as it is",
            ),
            (
                category().margin("", [good.clone()]),
                "chart title: expected text, got none",
            ),
            (
                category().margin("acc", []),
                "margins: expected at least 1 in chart \"acc\", got none",
            ),
            (
                category().margin("acc", [Margin::new("", "l", "u")]),
                "margins: expected no empty tag, got [\"\", \"l\", \"u\"] at index 0 of chart \"acc\"",
            ),
            (
                category().margin("acc", [good.clone(), Margin::new("v", "", "u")]),
                "margins: expected no empty tag, got [\"v\", \"\", \"u\"] at index 1 of chart \"acc\"",
            ),
            (
                category().margin("acc", [Margin::new("v", "l", "")]),
                "margins: expected no empty tag, got [\"v\", \"l\", \"\"] at index 0 of chart \"acc\"",
            ),
            (
                category().margin("acc", [Margin::new("v (1)", "l", "u")]),
                "margins: expected a tag without `(`, because the dashboard takes the rest of it for the name of a run, got \"v (1)\" at index 0 of chart \"acc\"",
            ),
        ] {
            assert_eq!(result.unwrap_err().to_string(), want);
        }
    }

    #[test]
    fn a_literal_matches_only_its_tag() {
        for (tag, want) in [
            ("loss", r"loss\Z"),
            ("rate [%]", r"rate \[%\]\Z"),
            (r"a.b(c)|{1}\^$?*+", r"a\.b\(c\)\|\{1\}\\\^\$\?\*\+\Z"),
        ] {
            assert_eq!(Category::literal(tag), want);
            assert_eq!(pattern::check(want, false), Ok(()));
        }
    }
}
