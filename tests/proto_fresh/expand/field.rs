//! What is said of one field, and the code for it.

use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Ident, Item, Lit, LitInt, Meta, MetaNameValue, Path, Stmt};
use syn::{Token, parse_quote, parse_str};

use super::Result;

/// A field of a message, or a variant of a oneof.
pub(super) struct Field {
    pub(super) ident: Ident,
    /// Several, where it is a oneof.
    pub(super) tags: Vec<LitInt>,
    pub(super) label: Label,
    kind: Kind,
    /// Of which enumeration the number is.
    enumeration: Option<Path>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Label {
    None,
    Optional,
    Repeated,
}

enum Kind {
    /// Its module in `prost::encoding`, and its default value.
    Number(Ident, Expr),
    /// Its module: `string` or `bytes`.
    Text(Ident),
    Message,
    /// The modules of keys and values.
    Map(Ident, Ident),
    Oneof(Path),
}

impl Field {
    /// Takes the attributes of prost: what it is, perhaps a label, and the tag.
    pub(super) fn new(ident: &Ident, attrs: &mut Vec<Attribute>, in_oneof: bool) -> Result<Self> {
        let mut words = Vec::new();
        for attr in attrs.extract_if(.., |attr| attr.path().is_ident("prost")) {
            for meta in attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)? {
                words.push((meta.path().require_ident()?.to_string(), text(&meta)));
            }
        }
        let words: Vec<_> = words
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let unknown = || format!("{ident}: not known here: {words:?}");

        let [(word, of), label @ .., ("tag" | "tags", tags)] = &words[..] else {
            return Err(unknown().into());
        };
        let kind = match (*word, *of) {
            ("double" | "float", "") => Kind::Number(parse_str(word)?, parse_quote!(0.0)),
            ("int32" | "int64" | "uint32" | "uint64", "") => {
                Kind::Number(parse_str(word)?, parse_quote!(0))
            }
            ("bool", "") => Kind::Number(parse_str(word)?, parse_quote!(false)),
            ("enumeration", _) => Kind::Number(parse_quote!(int32), parse_quote!(0)),
            ("string", "") | ("bytes", "" | "vec") => Kind::Text(parse_str(word)?),
            ("message", "") => Kind::Message,
            ("btree_map", of) => {
                let (key, value) = of.split_once(", ").ok_or_else(unknown)?;
                Kind::Map(parse_str(key)?, parse_str(value)?)
            }
            ("oneof", path) => Kind::Oneof(parse_str(path)?),
            _ => return Err(unknown().into()),
        };
        let label = match (label, &kind, in_oneof) {
            ([], Kind::Number(..) | Kind::Text(_), _) => Label::None,
            ([], Kind::Map(..) | Kind::Oneof(_), false) | ([], Kind::Message, true) => Label::None,
            ([("optional", "")], Kind::Message, false) => Label::Optional,
            ([("repeated", "")], Kind::Number(..) | Kind::Text(_) | Kind::Message, false) => {
                Label::Repeated
            }
            _ => return Err(unknown().into()),
        };
        let tags = tags.split(", ").map(parse_str);
        Ok(Self {
            ident: ident.clone(),
            tags: tags.collect::<syn::Result<_>>()?,
            label,
            kind,
            enumeration: (*word == "enumeration")
                .then(|| parse_str(of))
                .transpose()?,
        })
    }

    /// The field of `self`.
    pub(super) fn place(&self) -> Expr {
        let ident = &self.ident;
        parse_quote!(self.#ident)
    }

    /// Does what `act` says with each value that is written.
    pub(super) fn each(&self, act: impl Fn(&Self, &Expr) -> Stmt) -> Stmt {
        let place = self.place();
        let on_place = act(self, &parse_quote!(&#place));
        let on_value = act(self, &parse_quote!(value));
        match (&self.kind, self.label) {
            (Kind::Oneof(_), _) | (_, Label::Optional) => {
                parse_quote!(if let Some(value) = &#place { #on_value })
            }
            (Kind::Text(_) | Kind::Message, Label::Repeated) => {
                parse_quote!(for value in &#place { #on_value })
            }
            (Kind::Text(_), _) => parse_quote!(if !#place.is_empty() { #on_place }),
            (Kind::Number(_, default), Label::None) => {
                parse_quote!(if #place != #default { #on_place })
            }
            // In one piece.
            _ => on_place,
        }
    }

    /// Encodes what a reference leads to.
    pub(super) fn encode(&self, value: &Expr) -> Stmt {
        let (tag, encode) = (&self.tags[0], self.function("encode"));
        match &self.kind {
            Kind::Oneof(_) => parse_quote!(#value.encode(buf);),
            Kind::Map(k, v) => parse_quote! {
                encoding::btree_map::encode(
                    encoding::#k::encode, encoding::#k::encoded_len,
                    encoding::#v::encode, encoding::#v::encoded_len,
                    #tag, #value, buf,
                );
            },
            _ => parse_quote!(#encode(#tag, #value, buf);),
        }
    }

    /// How many bytes `encode` writes.
    pub(super) fn len(&self, value: &Expr) -> Expr {
        let (tag, len) = (&self.tags[0], self.function("encoded_len"));
        match &self.kind {
            Kind::Oneof(_) => parse_quote!(#value.encoded_len()),
            Kind::Map(k, v) => parse_quote! {
                encoding::btree_map::encoded_len(
                    encoding::#k::encoded_len, encoding::#v::encoded_len, #tag, #value,
                )
            },
            _ => parse_quote!(#len(#tag, #value)),
        }
    }

    /// Decodes into what a reference leads to.
    pub(super) fn merge(&self, value: &Expr) -> Expr {
        let merge = self.function("merge");
        match &self.kind {
            Kind::Oneof(path) => parse_quote!(#path::merge(#value, tag, wire_type, buf, ctx)),
            Kind::Map(k, v) => parse_quote! {
                encoding::check_wire_type(encoding::WireType::LengthDelimited, wire_type).and_then(|()| {
                    encoding::btree_map::merge(encoding::#k::merge, encoding::#v::merge, #value, buf, ctx)
                })
            },
            _ => parse_quote!(#merge(wire_type, #value, buf, ctx)),
        }
    }

    /// Of `prost::encoding`, or of the crate, for fields that are neither map nor oneof.
    fn function(&self, name: &str) -> Path {
        let module: Ident = match &self.kind {
            Kind::Number(module, _) | Kind::Text(module) => module.clone(),
            _ => parse_quote!(message),
        };
        let suffix = match (&self.kind, self.label) {
            (_, Label::Repeated) if name == "merge" => "_repeated",
            (Kind::Number(..), Label::Repeated) => "_packed",
            _ => "",
        };
        let function = Ident::new(&format!("{name}{suffix}"), module.span());
        if name == "merge" && module == "bytes" {
            return parse_quote!(crate::proto::bytes::#function);
        }
        parse_quote!(encoding::#module::#function)
    }

    /// Keeps the memory.
    pub(super) fn clear(&self) -> Stmt {
        let place = self.place();
        match (&self.kind, self.label) {
            (Kind::Oneof(_), _) | (_, Label::Optional) => parse_quote!(#place = None;),
            (Kind::Number(_, default), Label::None) => parse_quote!(#place = #default;),
            _ => parse_quote!(#place.clear();),
        }
    }

    /// Whether `derive(Debug)` prints it as prost does: numbers of an enumeration as their names, and `r#type` with its `r#`.
    pub(super) fn is_printed_as_it_is(&self) -> bool {
        self.enumeration.is_none() && self.ident == self.ident.unraw()
    }

    /// What is printed of the value at `place`.
    pub(super) fn printed(&self, place: &Expr) -> Expr {
        let Some(path) = &self.enumeration else {
            return parse_quote!(&#place);
        };
        if self.label != Label::Repeated {
            return parse_quote! {
                match #path::try_from(#place) {
                    Ok(ref value) => value as &dyn ::core::fmt::Debug,
                    Err(_) => &#place,
                }
            };
        }
        parse_quote! {
            &#place
                .iter()
                .map(|number| -> ::prost::alloc::boxed::Box<dyn ::core::fmt::Debug> {
                    match #path::try_from(*number) {
                        Ok(value) => ::prost::alloc::boxed::Box::new(value),
                        Err(_) => ::prost::alloc::boxed::Box::new(*number),
                    }
                })
                .collect::<::prost::alloc::vec::Vec<_>>()
        }
    }

    /// The getter and the setter of an enumeration.
    pub(super) fn methods(&self, message: &Ident) -> Option<Item> {
        let path = self.enumeration.as_ref()?;
        let (get, place) = (&self.ident, self.place());
        let name = get.unraw();
        if self.label == Label::Repeated {
            let push = Ident::new(&format!("push_{name}"), get.span());
            let get_doc = format!(
                " Returns an iterator which yields the valid enum values contained in `{name}`."
            );
            let push_doc = format!(" Appends the provided enum value to `{name}`.");
            return Some(parse_quote! {
                impl #message {
                    #[doc = #get_doc]
                    #[inline]
                    pub fn #get(&self) -> ::core::iter::FilterMap<
                        ::core::iter::Cloned<::core::slice::Iter<'_, i32>>,
                        fn(i32) -> ::core::option::Option<#path>,
                    > {
                        #place.iter().cloned().filter_map(|number| #path::try_from(number).ok())
                    }
                    #[doc = #push_doc]
                    #[inline]
                    pub fn #push(&mut self, value: #path) {
                        #place.push(value as i32);
                    }
                }
            });
        }
        let set = Ident::new(&format!("set_{name}"), get.span());
        let get_doc = format!(
            " Returns the enum value of `{name}`, or the default if the field is set to an invalid enum value."
        );
        let set_doc = format!(" Sets `{name}` to the provided enum value.");
        Some(parse_quote! {
            impl #message {
                #[doc = #get_doc]
                #[inline]
                pub fn #get(&self) -> #path {
                    #path::try_from(#place).unwrap_or_default()
                }
                #[doc = #set_doc]
                #[inline]
                pub fn #set(&mut self, value: #path) {
                    #place = value as i32;
                }
            }
        })
    }
}

/// What stands behind `=`.
fn text(meta: &Meta) -> String {
    match meta {
        Meta::NameValue(MetaNameValue {
            value:
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }),
            ..
        }) => text.value(),
        _ => String::new(),
    }
}
