//! What a function is made into.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    AttrStyle, Block, Error, Ident, ItemFn, LitStr, Result, ReturnType, Signature, Type,
    parse_quote,
};

use crate::arguments::Arguments;
use crate::name::is_metric;
use crate::returned::{self, Returned};

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
        let text = "a `const fn` may run before the program does, and cannot be timed";
        return Err(Error::new(constant.span(), text));
    }
    let start = Start::of(arguments, sig)?;
    let outcome = arguments.outcome;
    let body = if sig.asyncness.is_some() {
        asynchronous(&start, outcome, &braced(block), returns(sig))
    } else if let Some(returned) = Returned::of(block) {
        let Returned { before, pin, body } = returned;
        let output = returned::output(&sig.output).filter(|ty| !names_impl(ty));
        let body = asynchronous(&start, outcome, &braced(body), output);
        let future = quote!(async move { #body });
        let future = pin.map_or(future.clone(), |pin| quote!(#pin(#future)));
        quote! {
            #(#before)*
            #future
        }
    } else if outcome {
        sync_with_outcome(&start, function)
    } else {
        let [start, block] = [start.tokens("start"), braced(block)];
        quote! {
            #start
            #block
        }
    };
    // Those at the beginning of the body may stand nowhere else.
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

/// A sync function whose runs are told apart: its body becomes a closure, so that a `return`
/// or `?` within it is seen.
fn sync_with_outcome(start: &Start, function: &ItemFn) -> TokenStream {
    let block = &function.block;
    let krate = &start.krate;
    // It ends in a panic, if at all, as runs do of which nothing else is said.
    if matches!(&function.sig.output, ReturnType::Type(_, ty) if is_never(ty)) {
        let [start, block] = [start.tokens("start_with_outcome"), braced(block)];
        return quote!(#start #block);
    }
    let returns = returns(&function.sig).map(|ty| quote!(-> #ty));
    let start = start.tokens("start_with_outcome");
    let [run, returned] = [local("__run"), local("__returned")];
    let end = end(krate, &run, &returned);
    // At the body's place, where the compiler tells of mistakes in it.
    let body = quote_spanned!(block.span()=> move || #returns #block);
    quote! {
        #start
        let #returned = #krate::__timed::call(#body);
        #end
        #returned
    }
}

/// Ends a run, by what its function returned.
fn end(krate: &TokenStream, run: &Ident, returned: &Ident) -> TokenStream {
    // What brings methods is in scope for nothing else.
    quote! {
        #krate::__timed::Run::end(#run, {
            use #krate::__timed::{IsError as _, IsNoError as _};
            (&&#krate::__timed::Returned(&#returned)).__tachometer_is_error()
        });
    }
}

/// The body of an async function, or of a future.
fn asynchronous(
    start: &Start,
    outcome: bool,
    body: &TokenStream,
    returns: Option<Type>,
) -> TokenStream {
    if !outcome {
        let start = start.tokens("start");
        return quote! {
            #start
            #body
        };
    }
    let krate = &start.krate;
    let start = start.tokens("start_with_outcome");
    let [run, returned] = [local("__run"), local("__returned")];
    let end = end(krate, &run, &returned);
    // It is never told how it ends, but its type has to be: under the only name that there is.
    if returns.as_ref().is_some_and(is_never) {
        return quote! {
            #start
            let (_, #returned): (_, <fn() -> ! as #krate::__timed::Returns>::Returned) =
                #krate::__timed::body(#run, async move #body).await;
            #returned
        };
    }
    let body = match returns {
        // The type of what the body returns, which `?` in it has to know.
        Some(ty) => {
            let annotation = quote_spanned! { ty.span() =>
                if let ::core::option::Option::Some(__never) = ::core::option::Option::None::<#ty> {
                    return __never;
                }
            };
            quote!({ #annotation #body })
        }
        // Without braces around its own, of which the compiler would warn.
        None => body.clone(),
    };
    quote! {
        #start
        let (#run, #returned) = #krate::__timed::body(#run, async move #body).await;
        if let ::core::option::Option::Some(#run) = #run {
            #end
        }
        #returned
    }
}

/// Returns a block in braces of the attribute's: of the function's own the compiler warns that
/// they are not needed, where all stands in one line.
fn braced(block: &Block) -> TokenStream {
    let statements = &block.stmts;
    quote!({ #(#statements)* })
}

/// Returns the name of a local variable, which no code of the function's can see.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Returns what a function returns; nothing of a type that only a function may name, which
/// is left to the compiler.
fn returns(sig: &Signature) -> Option<Type> {
    match &sig.output {
        ReturnType::Default => Some(parse_quote!(())),
        ReturnType::Type(_, ty) => (!names_impl(ty)).then(|| (**ty).clone()),
    }
}

/// Whether a type is `!`, also where a macro wrote it.
fn is_never(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_never(&group.elem),
        _ => matches!(ty, Type::Never(_)),
    }
}

/// Whether a type has `impl` in it.
fn names_impl(ty: &Type) -> bool {
    has_impl(quote!(#ty))
}

fn has_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "impl",
        TokenTree::Group(group) => has_impl(group.stream()),
        _ => false,
    })
}

/// What begins a run.
struct Start {
    krate: TokenStream,
    name: LitStr,
    help: String,
    labels: TokenStream,
    registry: TokenStream,
}

impl Start {
    fn of(arguments: &Arguments, sig: &Signature) -> Result<Self> {
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
                        "`{function}` is no metric's name: give it one, as in `#[timed(\"name\")]`"
                    );
                    return Err(Error::new(sig.ident.span(), text));
                }
                LitStr::new(&name, Span::call_site())
            }
        };
        let help = match &arguments.help {
            Some(help) => help.value(),
            None => format!("Seconds that a run of `{function}` took."),
        };
        let labels = arguments.labels.as_deref().unwrap_or_default();
        let pairs = labels.iter().map(|label| {
            let (name, value) = (&label.name, &label.value);
            quote!((#name, #value))
        });
        let pairs = quote!(&[#(#pairs),*]);
        let mut labels = labels.iter();
        if let Some(label) = labels.find(|label| arguments.outcome && label.name == "outcome") {
            let text = "`outcome` gives the label `outcome` its values: choose another name";
            return Err(Error::new(label.value.span(), text));
        }
        let registry = match &arguments.registry {
            // In any form in which a registry may be at hand: itself, borrowed, in a static.
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

    /// Returns the statements after which `__run` is the run that has begun.
    fn tokens(&self, start: &str) -> TokenStream {
        let Self {
            krate,
            name,
            help,
            labels,
            registry,
        } = self;
        let start = Ident::new(start, Span::call_site());
        let [from, run] = [local("__registry"), local("__run")];
        quote! {
            static __TIMED: #krate::__timed::Timed =
                #krate::__timed::Timed::new(#name, #help, #labels);
            let #from: &#krate::Registry = #registry;
            let #run = #krate::__timed::Timed::#start(&__TIMED, #from);
        }
    }
}
