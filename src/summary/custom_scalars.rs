//! The caller's choice of charts to the layout of the custom scalars dashboard.

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

/// The dashboard reads this tag and no other.
const TAG: &str = "custom_scalars__config__";

/// The page of the custom scalars dashboard: categories of charts, in the order of the calls.
///
/// It draws scalars that are logged as usual, before or after, in any run. Log it once:
/// [`SummaryWriter::custom_scalars`](crate::SummaryWriter::custom_scalars). Tags with a `(` cannot be drawn, and may
/// spoil their chart: the dashboard takes what follows for the name of a run.
///
/// ```
/// use summary_writer::{Category, Layout, Margin};
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
    /// A page without categories.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a category below those that are there.
    pub fn category(mut self, category: Category) -> Self {
        self.0.category.push(category.0);
        self
    }
}

/// Charts below one title, in the order of the calls. One without charts shows as its title.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Category(proto::Category);

impl Category {
    /// A category without charts. Its title is any text but the empty one.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `title` is empty.
    pub fn new(title: impl Into<String>) -> Result<Self> {
        Ok(Self(proto::Category {
            title: checked_title("category title", title)?,
            ..Default::default()
        }))
    }

    /// Adds a chart with a line for each tag that one of `tags` matches, in each run.
    ///
    /// `tags` are regular expressions of Python's `re`, matched from the start of a tag: `loss` matches `loss/train`,
    /// too, and not `total loss`; `loss$` matches `loss` alone. They go to the dashboard as they are, which joins them by
    /// `|`. Only Python can tell whether an expression is sound: a chart with one that is not stays empty.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `title` is empty, if there are no `tags`, or if one of them is empty: the dashboard takes
    /// that for an expression that is not sound.
    pub fn multiline<T: Into<String>>(
        self,
        title: impl Into<String>,
        tags: impl IntoIterator<Item = T>,
    ) -> Result<Self> {
        let title = checked_title("chart title", title)?;
        let tag: Vec<String> = tags.into_iter().map(Into::into).collect();
        if tag.is_empty() {
            return Err(Error::invalid(
                "multiline tags",
                format!("chart {title:?} is given none, one or more fit"),
            ));
        }
        if let Some(index) = tag.iter().position(String::is_empty) {
            return Err(Error::invalid(
                "multiline tags",
                format!("chart {title:?} is given \"\" at index {index}, any other text fits"),
            ));
        }
        Ok(self.chart(title, Content::Multiline(MultilineChartContent { tag })))
    }

    /// Adds a chart with a line and the area around it for each of `margins`, in each run that has its three tags.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `title` is empty, if there are no `margins`, or if one of their tags is empty.
    pub fn margin(
        self,
        title: impl Into<String>,
        margins: impl IntoIterator<Item = Margin>,
    ) -> Result<Self> {
        let title = checked_title("chart title", title)?;
        let series: Vec<Series> = margins.into_iter().map(|margin| margin.0).collect();
        if series.is_empty() {
            return Err(Error::invalid(
                "margins",
                format!("chart {title:?} is given none, one or more fit"),
            ));
        }
        for (index, margin) in series.iter().enumerate() {
            for (role, tag) in [
                ("value", &margin.value),
                ("lower", &margin.lower),
                ("upper", &margin.upper),
            ] {
                if tag.is_empty() {
                    return Err(Error::invalid(
                        "margins",
                        format!(
                            "chart {title:?} is given \"\" as `{role}` at index {index}, any other tag fits"
                        ),
                    ));
                }
            }
        }
        Ok(self.chart(title, Content::Margin(MarginChartContent { series })))
    }

    /// Whether the category starts collapsed. Default: `false`, its charts show at once.
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

fn checked_title(what: &'static str, title: impl Into<String>) -> Result<String> {
    let title = title.into();
    if title.is_empty() {
        return Err(Error::invalid(what, "\"\" is given, any other text fits"));
    }
    Ok(title)
}

/// The tags of three scalars: a line, and the lower and upper bound of the area around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Margin(Series);

impl Margin {
    /// Whole tags, not patterns. Log the three at the same steps: where these differ, the chart says so and
    /// leaves the margin out.
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
    fn a_layout_is_one_string_under_the_tag_of_the_dashboard() {
        let category = Category::new("c").unwrap();
        let category = category.multiline("l", ["a", "b.*"]).unwrap();
        let category = category.margin("m", [Margin::new("v", "x", "y")]).unwrap();
        let got = custom_scalars(&Layout::new().category(category.closed(true)));
        // Summary.Value, assembled by hand from the wire format; the lengths are in front of what they count.
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
    fn what_the_dashboard_cannot_show_is_refused_by_name() {
        let category = || Category::new("c").unwrap();
        let none: [&str; 0] = [];
        let good = Margin::new("v", "l", "u");
        for (result, want) in [
            (
                Category::new(""),
                "category title: \"\" is given, any other text fits",
            ),
            (
                category().multiline("", ["a"]),
                "chart title: \"\" is given, any other text fits",
            ),
            (
                category().multiline("loss", none),
                "multiline tags: chart \"loss\" is given none, one or more fit",
            ),
            (
                category().multiline("loss", ["a", ""]),
                "multiline tags: chart \"loss\" is given \"\" at index 1, any other text fits",
            ),
            (
                category().margin("", [good.clone()]),
                "chart title: \"\" is given, any other text fits",
            ),
            (
                category().margin("acc", []),
                "margins: chart \"acc\" is given none, one or more fit",
            ),
            (
                category().margin("acc", [Margin::new("", "l", "u")]),
                "margins: chart \"acc\" is given \"\" as `value` at index 0, any other tag fits",
            ),
            (
                category().margin("acc", [good.clone(), Margin::new("v", "", "u")]),
                "margins: chart \"acc\" is given \"\" as `lower` at index 1, any other tag fits",
            ),
            (
                category().margin("acc", [Margin::new("v", "l", "")]),
                "margins: chart \"acc\" is given \"\" as `upper` at index 0, any other tag fits",
            ),
        ] {
            assert_eq!(result.unwrap_err().to_string(), want);
        }
    }

    #[test]
    fn a_pattern_goes_on_as_it_is() {
        for pattern in ["[", "(?P<x>a)(?P=x)", " ", "損失/.*"] {
            let category = Category::new("c").unwrap().multiline("l", [pattern]);
            let chart = category.unwrap().0.chart.remove(0);
            let want = MultilineChartContent {
                tag: vec![pattern.to_owned()],
            };
            assert_eq!(chart.content, Some(Content::Multiline(want)), "{pattern}");
        }
    }
}
