//! Expands a function to one whose body is timed.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    AttrStyle, Block, Error, Ident, ItemFn, LitStr, Result, ReturnType, Signature, Type,
    parse_quote,
};

use crate::arguments::Arguments;
use crate::future_block::{FutureBlock, future_output};
use crate::name::is_metric;

/// Returns the function with its body timed. Its signature stays as it is.
pub(crate) fn timed(arguments: &Arguments, function: &ItemFn) -> Result<TokenStream> {
    let ItemFn {
        attrs,
        vis,
        modifiers,
        sig,
        block,
    } = function;
    modifiers.require_empty()?;
    if let Some(constant) = &sig.constness {
        let text = "a `const fn` cannot be timed: it may run at compile time";
        return Err(Error::new(constant.span(), text));
    }
    let start = Start::new(arguments, sig)?;
    let outcome = arguments.outcome;
    let body = if sig.asyncness.is_some() {
        async_body(&start, outcome, &braced(block), return_type(sig))
    } else if let Some(found) = FutureBlock::find(block) {
        let FutureBlock {
            preceding,
            box_pin,
            block,
        } = found;
        let output = future_output(&sig.output).filter(|ty| !has_impl_trait(ty));
        let body = async_body(&start, outcome, &braced(block), output);
        let future = quote!(async move { #body });
        let future = box_pin.map_or(future.clone(), |pin| quote!(#pin(#future)));
        quote! {
            #(#preceding)*
            #future
        }
    } else if outcome {
        sync_body_with_outcome(&start, function)
    } else {
        let [start, block] = [start.statements("start"), braced(block)];
        quote! {
            #start
            #block
        }
    };
    // Inner attributes must stay at the start of the body.
    let (outer, inner): (Vec<_>, Vec<_>) = attrs
        .iter()
        .partition(|attr| matches!(attr.style, AttrStyle::Outer));
    Ok(quote! {
        #(#outer)*
        #vis #sig {
            #(#inner)*
            #body
        }
    })
}

/// Expands the body of a sync function that has the label `outcome`. The body becomes a closure,
/// so that `return` and `?` in it do not leave the function.
fn sync_body_with_outcome(start: &Start, function: &ItemFn) -> TokenStream {
    let block = &function.block;
    let krate = &start.krate;
    // Such a function can only end in a panic, which is the default outcome.
    if matches!(&function.sig.output, ReturnType::Type(_, ty) if is_never(ty)) {
        let [start, block] = [start.statements("start_with_outcome"), braced(block)];
        return quote!(#start #block);
    }
    let return_type = return_type(&function.sig).map(|ty| quote!(-> #ty));
    let start = start.statements("start_with_outcome");
    let [run, returned] = [local_ident("__run"), local_ident("__returned")];
    let finish = finish_run(krate, &run, &returned);
    // With the body's span, so that compile errors in it point there.
    let body = quote_spanned!(block.span()=> move || #return_type #block);
    quote! {
        #start
        let #returned = #krate::__timed::call_once(#body);
        #finish
        #returned
    }
}

/// Returns the statement that finishes a run with the outcome of its return value.
fn finish_run(krate: &TokenStream, run: &Ident, returned: &Ident) -> TokenStream {
    // In a block, so that the imported traits are in scope for nothing else.
    quote! {
        #krate::__timed::Run::finish(#run, {
            use #krate::__timed::{IsError as _, IsNoError as _};
            (&&#krate::__timed::ReturnValue(&#returned)).__tachometer_is_error()
        });
    }
}

/// Expands the body of an async function or of an `async` block.
fn async_body(
    start: &Start,
    outcome: bool,
    body: &TokenStream,
    return_type: Option<Type>,
) -> TokenStream {
    if !outcome {
        let start = start.statements("start");
        return quote! {
            #start
            #body
        };
    }
    let krate = &start.krate;
    let start = start.statements("start_with_outcome");
    let [run, returned] = [local_ident("__run"), local_ident("__returned")];
    let finish = finish_run(krate, &run, &returned);
    // There is no value to finish the run with, but its type must be named: `!` cannot be
    // written on stable Rust, except as a function's return type.
    if return_type.as_ref().is_some_and(is_never) {
        return quote! {
            #start
            let (_, #returned): (_, <fn() -> ! as #krate::__timed::HasReturnType>::Output) =
                #krate::__timed::timed_body(#run, async move #body).await;
            #returned
        };
    }
    let body = match return_type {
        // Sets the type that the body returns, which `?` in it needs.
        Some(ty) => {
            let annotation = quote_spanned! { ty.span() =>
                if let ::core::option::Option::Some(__never) = ::core::option::Option::None::<#ty> {
                    return __never;
                }
            };
            quote!({ #annotation #body })
        }
        // Without further braces, which the compiler would warn of as unused.
        None => body.clone(),
    };
    quote! {
        #start
        let (#run, #returned) = #krate::__timed::timed_body(#run, async move #body).await;
        if let ::core::option::Option::Some(#run) = #run {
            #finish
        }
        #returned
    }
}

/// Returns a block in new braces. The compiler would warn that the original braces are unused if
/// all is on one line.
fn braced(block: &Block) -> TokenStream {
    let statements = &block.stmts;
    quote!({ #(#statements)* })
}

/// Returns the name of a local variable that the function's code cannot see.
fn local_ident(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Returns the return type of a function, or `None` if it contains `impl`, which is left to
/// inference.
fn return_type(sig: &Signature) -> Option<Type> {
    match &sig.output {
        ReturnType::Default => Some(parse_quote!(())),
        ReturnType::Type(_, ty) => (!has_impl_trait(ty)).then(|| (**ty).clone()),
    }
}

/// Returns true if a type is `!`, also inside the invisible groups of a macro.
fn is_never(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_never(&group.elem),
        _ => matches!(ty, Type::Never(_)),
    }
}

/// Returns true if a type contains `impl`.
fn has_impl_trait(ty: &Type) -> bool {
    contains_impl(quote!(#ty))
}

fn contains_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "impl",
        TokenTree::Group(group) => contains_impl(group.stream()),
        _ => false,
    })
}

/// The statements that start a run.
struct Start {
    krate: TokenStream,
    name: LitStr,
    help: String,
    labels: TokenStream,
    registry: TokenStream,
}

impl Start {
    fn new(arguments: &Arguments, sig: &Signature) -> Result<Self> {
        let krate = match &arguments.krate {
            Some(path) => quote!(#path),
            None => quote!(::tachometer),
        };
        let function = sig.ident.to_string();
        let function = function.strip_prefix("r#").unwrap_or(&function);
        let name = match &arguments.name {
            Some(name) => name.clone(),
            None => {
                let name = format!("{function}_duration_seconds");
                if !is_metric(&name) {
                    let text = format!(
                        "`{function}` is not a valid metric name: set one, as in `#[timed(\"name\")]`"
                    );
                    return Err(Error::new(sig.ident.span(), text));
                }
                LitStr::new(&name, Span::call_site())
            }
        };
        let help = match &arguments.help {
            Some(help) => help.value(),
            None => format!("Duration of `{function}`, in seconds."),
        };
        let labels = arguments.labels.as_deref().unwrap_or_default();
        let pairs = labels.iter().map(|label| {
            let (name, value) = (&label.name, &label.value);
            quote!((#name, #value))
        });
        let pairs = quote!(&[#(#pairs),*]);
        let mut labels = labels.iter();
        if let Some(label) = labels.find(|label| arguments.outcome && label.name == "outcome") {
            let text = "the option `outcome` adds the label `outcome`: choose another name";
            return Err(Error::new(label.value.span(), text));
        }
        let registry = match &arguments.registry {
            // The type may be a registry, a reference to one, or a static that derefs to one.
            Some(expr) => quote_spanned!(expr.span()=> &#expr),
            None => quote!(#krate::Registry::global()),
        };
        Ok(Self {
            krate,
            name,
            help,
            labels: pairs,
            registry,
        })
    }

    /// Returns the statements that start a run, `__run`.
    fn statements(&self, start: &str) -> TokenStream {
        let Self {
            krate,
            name,
            help,
            labels,
            registry,
        } = self;
        let start = Ident::new(start, Span::call_site());
        let [from, run] = [local_ident("__registry"), local_ident("__run")];
        quote! {
            static __TIMED: #krate::__timed::Timed =
                #krate::__timed::Timed::new(#name, #help, #labels);
            let #from: &#krate::Registry = #registry;
            let #run = #krate::__timed::Timed::#start(&__TIMED, #from);
        }
    }
}
