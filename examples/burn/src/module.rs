//! The parts of a model that burn's module visitor shows: its layers, its parameters and their gradients.

use burn::module::{Flag, Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Bool, DType, Int, Shape, Tensor};
use summary_writer::{Error, Histogram, Layer, Model, Step, SummaryWriter};

/// Logs a histogram of each parameter of `module`, with the tag `parameters/PATH`, for example `parameters/hidden.weight`.
///
/// It waits for the device, so do not call it in every step.
pub fn log_parameters(summary: &SummaryWriter, module: &impl Module, step: impl Step) {
    module.visit(&mut Histograms {
        summary,
        gradients: None,
        step,
        path: Vec::new(),
    });
}

/// Logs a histogram of the gradient of each parameter of `module` that has one, with the tag `gradients/PATH`.
///
/// It waits for the device, so do not call it in every step.
pub fn log_gradients(
    summary: &SummaryWriter,
    module: &impl Module,
    gradients: &GradientsParams,
    step: impl Step,
) {
    module.visit(&mut Histograms {
        summary,
        gradients: Some(gradients),
        step,
        path: Vec::new(),
    });
}

struct Histograms<'a, S> {
    summary: &'a SummaryWriter,
    /// If there are gradients, they are logged instead of the parameters.
    gradients: Option<&'a GradientsParams>,
    step: S,
    path: Vec<String>,
}

impl<S: Step> ModuleVisitor for Histograms<'_, S> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        let (tag, tensor) = match self.gradients {
            None => (format!("parameters/{path}"), param.val()),
            Some(gradients) => match gradients.get::<D>(param.id) {
                Some(gradient) => (format!("gradients/{path}"), gradient),
                None => return,
            },
        };
        match histogram(tensor) {
            Ok(histogram) => self.summary.histogram(tag, histogram, self.step),
            Err(error) => log::error!("cannot read {tag} from its device: {error}"),
        }
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
}

/// Counts the numbers where the backend has put them. Only types other than `f32` and `f64` are converted first.
fn histogram<const D: usize>(
    tensor: Tensor<D>,
) -> Result<Histogram, Box<dyn std::error::Error + Send + Sync>> {
    let data = tensor.try_into_data()?;
    Ok(match data.dtype() {
        DType::F32 => data.as_slice::<f32>()?.into(),
        DType::F64 => data.as_slice::<f64>()?.into(),
        _ => data.try_cast_as::<f32>()?.as_slice::<f32>()?.into(),
    })
}

/// Returns the layers of `module` for [`SummaryWriter::model`]: their names, kinds, weights and the number of parameters.
///
/// The layers follow each other in the order of the fields, because burn does not say how the data flows. A layer without
/// parameters, such as `Relu`, is missing, because burn's visitor does not visit it.
///
/// # Errors
/// [`Error::Invalid`] if the name of a field or a kind is not ASCII, or if `name` is not a name of a graph.
pub fn layers(name: &str, module: &impl Module) -> Result<Model, Error> {
    let mut visitor = Tree::default();
    module.visit(&mut visitor);
    let Tree { root, .. } = visitor;
    let layers = match root.submodules().count() {
        0 => vec![root.into_layer(name)],
        _ => root.into_layers(),
    };
    Model::new(name, layers)
}

/// Collects the tree of a module.
#[derive(Default)]
struct Tree {
    root: Node,
    /// The nodes that the visitor is in, without the root.
    open: Vec<Node>,
}

/// A module, a parameter or a flag.
#[derive(Default)]
struct Node {
    name: String,
    kind: String,
    /// The shape of a parameter.
    shape: Option<Shape>,
    is_flag: bool,
    children: Vec<Node>,
}

impl Node {
    fn is_submodule(&self) -> bool {
        self.shape.is_none() && !self.is_flag
    }

    fn submodules(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(|child| child.is_submodule())
    }

    /// The layers in this module. If it has parameters of its own, they are a layer with its kind.
    fn into_layers(self) -> Vec<Layer> {
        let (submodules, own): (Vec<_>, Vec<_>) =
            self.children.into_iter().partition(Self::is_submodule);
        let mut layers = Vec::new();
        if own.iter().any(|child| child.shape.is_some()) {
            let mut name = String::from("parameters");
            while submodules.iter().any(|module| module.name == name) {
                name.push('_');
            }
            let own = Self {
                kind: self.kind,
                children: own,
                ..Self::default()
            };
            layers.push(own.into_layer(&name));
        }
        layers.extend(submodules.into_iter().map(|module| {
            let name = module.name.clone();
            match module.submodules().count() {
                0 => module.into_layer(&name),
                _ => Layer::block(name, module.into_layers()),
            }
        }));
        layers
    }

    fn into_layer(self, name: &str) -> Layer {
        // Burn gives the kind of a module only if it has parameters or flags.
        let kind = if self.kind.is_empty() {
            "Module"
        } else {
            &self.kind
        };
        let mut layer = Layer::new(name, kind);
        for child in self.children {
            if let Some(shape) = child.shape {
                layer = layer.weight(child.name, shape.to_vec());
            }
        }
        layer
    }
}

impl Tree {
    fn current(&mut self) -> &mut Node {
        self.open.last_mut().unwrap_or(&mut self.root)
    }
}

impl ModuleVisitor for Tree {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.current().shape = Some(param.lazy_shape());
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.current().shape = Some(param.lazy_shape());
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.current().shape = Some(param.lazy_shape());
    }

    fn visit_flag(&mut self, _: &Param<Flag>) {
        self.current().is_flag = true;
    }

    /// Burn gives the kind of the module that contains `name`, such as `Struct:Linear` or `Vec`.
    fn enter_module(&mut self, name: &str, container: &str) {
        let kind = container
            .split_once(':')
            .map_or(container, |(_, kind)| kind);
        kind.clone_into(&mut self.current().kind);
        // Names of a graph do not start with `_`.
        let name = name.trim_start_matches("r#").trim_start_matches('_');
        self.open.push(Node {
            name: name.to_owned(),
            ..Node::default()
        });
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        let Some(node) = self.open.pop() else { return };
        // What is empty is a setting or a parameter that is not there.
        if node.shape.is_some() || node.is_flag || !node.children.is_empty() {
            self.current().children.push(node);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig, Relu};
    use burn::tensor::Device;
    use summary_writer::proto::summary::{self, Value};

    use super::*;
    use crate::read_back::values;

    /// Returns the left edge of the first bucket and the right edge of the last one.
    fn range(histogram: &Value) -> [f64; 2] {
        let Some(summary::value::Value::Tensor(tensor)) = &histogram.value else {
            panic!("{} is not a histogram", histogram.tag);
        };
        let (numbers, _) = tensor.tensor_content.as_chunks::<8>();
        let numbers: Vec<f64> = numbers.iter().copied().map(f64::from_le_bytes).collect();
        [numbers[0], numbers[numbers.len() - 2]]
    }

    #[derive(Module, Debug)]
    struct Block {
        layers: Vec<Linear>,
    }

    #[test]
    fn each_parameter_and_gradient_has_a_histogram() {
        for dtype in [DType::F32, DType::F64, DType::BF16] {
            let dir = tempfile::tempdir().unwrap();
            let writer = SummaryWriter::create_file_writer(dir.path()).unwrap();
            let device = Device::flex().autodiff();
            let numbers = Tensor::<2>::from_data([[1.0, -2.0], [0.5, 4.0]], &device).cast(dtype);
            let weight = Param::from_tensor(numbers);
            let module = Block {
                layers: vec![Linear { weight, bias: None }],
            };
            let loss = module.layers[0].weight.val().powi_scalar(2).sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &module);
            log_parameters(&writer, &module, 7);
            log_gradients(&writer, &module, &gradients, 8);
            writer.close().unwrap();

            let mut got = Vec::new();
            for (step, value) in values(dir.path()) {
                got.push((value.tag.clone(), step, range(&value)));
            }
            // The gradient of the sum of squares is twice the weight.
            let want = [
                ("parameters/layers.0.weight".to_owned(), 7, [-2.0, 4.0]),
                ("gradients/layers.0.weight".to_owned(), 8, [-4.0, 8.0]),
            ];
            assert_eq!(got, want, "{dtype:?}");
        }
    }

    #[derive(Module, Debug)]
    struct Network {
        scale: Param<Tensor<1>>,
        _hidden: Block,
        activation: Relu,
        dropout: Dropout,
        normal: burn::nn::BatchNorm,
        ratio: f64,
    }

    #[test]
    fn layers_have_the_names_kinds_and_weights_of_the_module() {
        let device = Device::flex();
        let linear = LinearConfig::new(3, 2);
        let network = Network {
            scale: Param::from_tensor(Tensor::ones([5], &device)),
            _hidden: Block {
                layers: vec![linear.init(&device), linear.with_bias(false).init(&device)],
            },
            activation: Relu::new(),
            dropout: DropoutConfig::new(0.5).init(),
            normal: BatchNormConfig::new(4).init(&device),
            ratio: 0.5,
        };
        let layers = [
            Layer::new("parameters", "Network").weight("scale", [5]),
            Layer::block(
                "hidden",
                [Layer::block(
                    "layers",
                    [
                        Layer::new("0", "Linear")
                            .weight("weight", [3, 2])
                            .weight("bias", [2]),
                        Layer::new("1", "Linear").weight("weight", [3, 2]),
                    ],
                )],
            ),
            Layer::new("dropout", "Dropout"),
            Layer::new("normal", "BatchNorm")
                .weight("gamma", [4])
                .weight("beta", [4])
                .weight("running_mean", [4])
                .weight("running_var", [4]),
        ];
        let want = Model::new("net", layers).unwrap();
        assert_eq!(super::layers("net", &network).unwrap(), want);

        let linear = LinearConfig::new(3, 2).with_bias(false).init(&device);
        let want = Model::new(
            "one",
            [Layer::new("one", "Linear").weight("weight", [3, 2])],
        );
        assert_eq!(super::layers("one", &linear).unwrap(), want.unwrap());
    }

    #[test]
    fn module_without_parameters_is_one_layer() {
        let want = Model::new("relu", [Layer::new("relu", "Module")]).unwrap();
        assert_eq!(super::layers("relu", &Relu::new()).unwrap(), want);
    }
}
