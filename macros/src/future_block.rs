//! Functions that are not async and return an `async` block.

use syn::punctuated::Punctuated;
use syn::{
    Block, Expr, GenericArgument, PathArguments, PathSegment, ReturnType, Stmt, Token, Type,
    TypeParamBound,
};

/// A function body that ends in an `async` block, which is the part to be timed.
pub(crate) struct FutureBlock<'a> {
    pub(crate) preceding: &'a [Stmt],
    /// `Box::pin`, if the future is boxed, as `async_trait` does.
    pub(crate) box_pin: Option<&'a Expr>,
    pub(crate) block: &'a Block,
}

impl<'a> FutureBlock<'a> {
    /// Returns the parts of a function body that ends in an `async` block.
    pub(crate) fn find(block: &'a Block) -> Option<Self> {
        let (Stmt::Expr(last, None), preceding) = block.stmts.split_last()? else {
            return None;
        };
        let (box_pin, future) = match last {
            Expr::Call(call) if is_box_pin(&call.func) => (Some(&*call.func), call.args.first()?),
            _ => (None, last),
        };
        let Expr::Async(future) = future else {
            return None;
        };
        Some(Self {
            preceding,
            box_pin,
            block: &future.block,
        })
    }
}

fn is_box_pin(function: &Expr) -> bool {
    let Expr::Path(function) = function else {
        return false;
    };
    let mut names = function.path.segments.iter().rev().map(|part| &part.ident);
    let is_pin = names.next().is_some_and(|name| name == "pin");
    is_pin && names.next().is_some_and(|name| name == "Box")
}

/// Returns the output type of the future that a function returns, if its return type shows it.
pub(crate) fn future_output(returned: &ReturnType) -> Option<Type> {
    match returned {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => output_of_type(ty),
    }
}

fn output_of_type(ty: &Type) -> Option<Type> {
    match ty {
        Type::ImplTrait(future) => output_of_bounds(&future.bounds),
        Type::TraitObject(future) => output_of_bounds(&future.bounds),
        Type::Group(group) => output_of_type(&group.elem),
        Type::Paren(paren) => output_of_type(&paren.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let mut types = generic_arguments(last).filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            // Aliases of the crate `futures` for a pinned box of a future.
            if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
                return types.next().cloned();
            }
            types.find_map(output_of_type)
        }
        _ => None,
    }
}

fn output_of_bounds(bounds: &Punctuated<TypeParamBound, Token![+]>) -> Option<Type> {
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound.path.segments.last()?;
        generic_arguments(last).find_map(|argument| match argument {
            GenericArgument::AssocType(output)
                if last.ident == "Future" && output.ident == "Output" =>
            {
                Some(output.ty.clone())
            }
            _ => None,
        })
    })
}

fn generic_arguments(segment: &PathSegment) -> impl Iterator<Item = &GenericArgument> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten()
}
