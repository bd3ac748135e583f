//! A layout of custom scalars that replaces an older one and is logged in a scope, and scalars before and after it.

use summary_writer::SummaryWriter;
use summary_writer::custom_scalars::{Category, Layout, Margin};

use crate::{Result, START};

pub(crate) fn write(run: &SummaryWriter) -> Result {
    run.at(START).scalar("losses/train", 8.0, 0);
    let old = Category::new("old")?.multiline("old", [".*"])?;
    run.custom_scalars(Layout::new().category(old));
    let band = Margin::new("band 1.5+/mean", "band 1.5+/lower", "band 1.5+/upper");
    let training = Category::new("training")?
        .multiline("losses", ["losses/.*", "rate$"])?
        .margin("accuracy", [band])?
        .multiline("literal", [Category::literal("rate [%]")])?;
    let details = Category::new("Größe & <b>")?
        .multiline("rate", ["rate$"])?
        .closed(true);
    let layout = Layout::new().category(training).category(details);
    run.scope("scope").custom_scalars(layout);
    for step in 1..20 {
        let n = f64::from(step);
        let now = run.at(START + n);
        now.scalars(
            step,
            [("losses/train", 8.0 / n), ("losses/validation", 9.0 / n)],
        );
        now.scalars(
            step,
            [
                ("total losses/train", n),
                ("rate", 0.5 * n),
                ("rate/2", n),
                ("rate [%]", 50.0 * n),
            ],
        );
        let values = [("mean", n), ("lower", n - 1.0), ("upper", n + 2.0)];
        now.scope("band 1.5+").scalars(step, values);
    }
    Ok(())
}
