//! Any `serde::Serialize` to hyperparameters: first to a tree of what it says it is, then to names and values.

mod node;
mod tree;

use serde::Serialize;

use super::{HParamValue, HParams};
use crate::error::{Error, Result};
use node::Node;
use tree::Tree;

impl HParams {
    /// The fields of a struct, or the entries of a map; needs the feature `serde`.
    ///
    /// - Fields of a struct or a map in it have their path for a name: `optimizer.lr`.
    /// - `None` and `()` are left out, so that a column of numbers stays one of numbers.
    /// - An enum is the name of its variant, as text. What the variant holds stands below that: of
    ///   `optimizer: Adam { lr: 0.1 }` come `optimizer`, which is `Adam`, and `optimizer.Adam.lr`.
    /// - Lists and tuples are text, much as `{:?}` shows them: `[64, 64, 10]`.
    ///
    /// Of several with one name the last counts.
    ///
    /// ```
    /// use summary_writer::HParams;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Config {
    ///     lr: f64,
    ///     layers: Vec<usize>,
    ///     dropout: Option<f64>,
    /// }
    ///
    /// let config = Config { lr: 1e-3, layers: vec![64, 10], dropout: None };
    /// let hparams = HParams::from_serialize(&config)?;
    /// assert_eq!(hparams, HParams::new().set("lr", 1e-3).set("layers", "[64, 10]"));
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if `config` is neither a struct nor a map; with the path of the field, if that is bytes, or a map
    /// with keys that are not text, numbers or `bool`, or refuses to be serialized.
    pub fn from_serialize<T: Serialize + ?Sized>(config: &T) -> Result<Self> {
        let node = config
            .serialize(Tree)
            .map_err(|refusal| Error::invalid("hyperparameters", refusal.to_string()))?;
        let given = match node {
            Node::Fields(fields) => {
                let mut hparams = Self::new();
                hparams.insert_all("", fields);
                return Ok(hparams);
            }
            Node::Nothing => "nothing",
            Node::Plain(_) | Node::Text(_) => "a single value",
            Node::List(_) => "a list",
            Node::Variant(..) => "an enum",
        };
        Err(Error::invalid(
            "hyperparameters",
            format!("{given} is given, a struct or a map fits"),
        ))
    }

    fn insert_all(&mut self, path: &str, fields: Vec<(String, Node)>) {
        for (name, node) in fields {
            self.insert(node::joined(path, &name), node);
        }
    }

    fn insert(&mut self, name: String, node: Node) {
        let value = match node {
            Node::Nothing => return,
            Node::Plain(value) => value,
            Node::Text(text) => HParamValue::from(text),
            Node::List(_) => HParamValue::from(node.to_string()),
            Node::Fields(fields) => return self.insert_all(&name, fields),
            Node::Variant(variant, content) => {
                self.insert(node::joined(&name, variant), *content);
                HParamValue::from(variant)
            }
        };
        self.0.hparams.insert(name, value.0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use serde::Serializer;

    use super::*;

    #[derive(Serialize)]
    struct Config {
        lr: f32,
        seed: u64,
        name: String,
        initial: char,
        layers: Vec<Layer>,
        optimizer: Optimizer,
        schedule: Schedule,
        clip: Option<f64>,
        warmup: Option<u8>,
        nothing: (),
        marker: Marker,
        range: (i8, f64),
        betas: [f64; 2],
        names: Vec<Option<&'static str>>,
        weights: BTreeMap<u8, f64>,
        wrapped: Wrapped,
        pair: Pair,
        boxed: Box<Inner>,
    }

    #[derive(Serialize)]
    struct Layer {
        size: usize,
        activation: Activation,
    }

    #[derive(Serialize)]
    enum Activation {
        Relu,
        Leaky(f64),
        Elu { alpha: f64 },
        Both(u8, u8),
    }

    #[derive(Serialize)]
    enum Optimizer {
        Adam { lr: f64, amsgrad: bool },
    }

    #[derive(Serialize)]
    enum Schedule {
        Step(u32),
    }

    #[derive(Serialize)]
    struct Marker;

    #[derive(Serialize)]
    struct Wrapped(i128);

    #[derive(Serialize)]
    struct Pair(u128, f64);

    #[derive(Serialize)]
    struct Inner {
        deep: HashMap<bool, Activation>,
    }

    #[test]
    fn every_kind_of_field_becomes_names_and_values() {
        let layer = |size, activation| Layer { size, activation };
        let config = Config {
            lr: 0.1,
            seed: u64::MAX,
            name: "größe".into(),
            initial: 'x',
            layers: vec![
                layer(64, Activation::Relu),
                layer(32, Activation::Leaky(0.01)),
                layer(16, Activation::Elu { alpha: 1.5 }),
                layer(8, Activation::Both(1, 2)),
            ],
            optimizer: Optimizer::Adam {
                lr: 1e-3,
                amsgrad: true,
            },
            schedule: Schedule::Step(10),
            clip: None,
            warmup: Some(5),
            nothing: (),
            marker: Marker,
            range: (-1, 1e-10),
            betas: [f64::INFINITY, 0.999],
            names: vec![Some("a\"b"), None],
            weights: BTreeMap::from([(0, 0.5), (7, f64::NAN)]),
            wrapped: Wrapped(-3),
            pair: Pair(u128::MAX, 2.0),
            boxed: Box::new(Inner {
                deep: HashMap::from([(true, Activation::Relu)]),
            }),
        };
        let want = HParams::new()
            .set("lr", 0.1)
            .set("seed", "18446744073709551615")
            .set("name", "größe")
            .set("initial", "x")
            .set(
                "layers",
                "[{size: 64, activation: Relu}, {size: 32, activation: Leaky(0.01)}, \
                 {size: 16, activation: Elu {alpha: 1.5}}, {size: 8, activation: Both [1, 2]}]",
            )
            .set("optimizer", "Adam")
            .set("optimizer.Adam.lr", 1e-3)
            .set("optimizer.Adam.amsgrad", true)
            .set("schedule", "Step")
            .set("schedule.Step", 10)
            .set("warmup", 5)
            .set("range", "[-1, 1e-10]")
            .set("betas", "[inf, 0.999]")
            .set("names", "[\"a\\\"b\", None]")
            .set("weights.0", 0.5)
            .set("weights.7", "NaN")
            .set("wrapped", -3)
            .set("pair", "[340282366920938463463374607431768211455, 2]")
            .set("boxed.deep.true", "Relu");
        assert_eq!(HParams::from_serialize(&config).unwrap(), want);
    }

    #[test]
    fn of_several_with_one_name_the_last_counts() {
        #[derive(Serialize)]
        struct Twice {
            a: BTreeMap<&'static str, u8>,
            #[serde(rename = "a.b")]
            b: u8,
        }
        let a = BTreeMap::from([("b", 1)]);
        let want = HParams::new().set("a.b", 2);
        assert_eq!(HParams::from_serialize(&Twice { a, b: 2 }).unwrap(), want);
        let entries = [("lr", 1), ("lr", 2)];
        let map = Entries(&entries);
        assert_eq!(
            HParams::from_serialize(&map).unwrap(),
            HParams::new().set("lr", 2)
        );
    }

    /// A map with these entries, in this order.
    struct Entries<'a, V>(&'a [(&'a str, V)]);

    impl<V: Serialize> Serialize for Entries<'_, V> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
        }
    }

    struct Bytes;

    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(b"123")
        }
    }

    #[derive(Serialize)]
    struct Nested<T> {
        first: u8,
        inner: BTreeMap<&'static str, Vec<T>>,
    }

    fn nested<T>(last: T) -> Nested<T> {
        Nested {
            first: 0,
            inner: BTreeMap::from([("deep", vec![last])]),
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_path() {
        #[cfg(unix)]
        let no_text = {
            use std::os::unix::ffi::OsStrExt;
            std::path::Path::new(std::ffi::OsStr::from_bytes(b"\xff"))
        };
        let pairs = HashMap::from([((1, 2), 3)]);
        for (result, want) in [
            (
                HParams::from_serialize(&nested(Bytes)),
                "hyperparameters: inner.deep[0]: bytes are given; numbers, bool, text, lists, structs and maps fit",
            ),
            (
                HParams::from_serialize(&nested(pairs.clone())),
                "hyperparameters: inner.deep[0]: a map has the key [1, 2]; text, numbers and bool fit",
            ),
            (
                HParams::from_serialize(&pairs),
                "hyperparameters: a map has the key [1, 2]; text, numbers and bool fit",
            ),
            #[cfg(unix)]
            (
                HParams::from_serialize(&nested(no_text)),
                "hyperparameters: inner.deep[0]: path contains invalid UTF-8 characters",
            ),
            (
                HParams::from_serialize(&5),
                "hyperparameters: a single value is given, a struct or a map fits",
            ),
            (
                HParams::from_serialize("lr"),
                "hyperparameters: a single value is given, a struct or a map fits",
            ),
            (
                HParams::from_serialize(&[("lr", 0.1)]),
                "hyperparameters: a list is given, a struct or a map fits",
            ),
            (
                HParams::from_serialize(&None::<Wrapped>),
                "hyperparameters: nothing is given, a struct or a map fits",
            ),
            (
                HParams::from_serialize(&Schedule::Step(1)),
                "hyperparameters: an enum is given, a struct or a map fits",
            ),
        ] {
            assert_eq!(result.unwrap_err().to_string(), want);
        }
    }
}
