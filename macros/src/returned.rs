//! Functions that are not async, and return a future.

use syn::punctuated::Punctuated;
use syn::{
    Block, Expr, GenericArgument, PathArguments, PathSegment, ReturnType, Stmt, Token, Type,
    TypeParamBound,
};

/// The parts of a function that is not async and returns a future, which is what is to be
/// timed.
pub(crate) struct Returned<'a> {
    pub(crate) before: &'a [Stmt],
    /// `Box::pin`, where the future is boxed, as `async_trait` leaves them.
    pub(crate) pin: Option<&'a Expr>,
    pub(crate) body: &'a Block,
}

impl<'a> Returned<'a> {
    /// Finds them where an async block is what the function ends in.
    pub(crate) fn of(block: &'a Block) -> Option<Self> {
        let (Stmt::Expr(last, None), before) = block.stmts.split_last()? else {
            return None;
        };
        let (pin, future) = match last {
            Expr::Call(call) if is_box_pin(&call.func) => (Some(&*call.func), call.args.first()?),
            _ => (None, last),
        };
        let Expr::Async(future) = future else {
            return None;
        };
        let body = &future.block;
        Some(Self { before, pin, body })
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

/// Returns what a future gives that is returned as such a type, if that tells it.
pub(crate) fn output(returned: &ReturnType) -> Option<Type> {
    match returned {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => of_type(ty),
    }
}

fn of_type(ty: &Type) -> Option<Type> {
    match ty {
        Type::ImplTrait(future) => of_bounds(&future.bounds),
        Type::TraitObject(future) => of_bounds(&future.bounds),
        Type::Group(group) => of_type(&group.elem),
        Type::Paren(paren) => of_type(&paren.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let mut types = arguments(last).filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            // The names that the crate futures gives a box of one, in a pin.
            if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
                return types.next().cloned();
            }
            types.find_map(of_type)
        }
        _ => None,
    }
}

fn of_bounds(bounds: &Punctuated<TypeParamBound, Token![+]>) -> Option<Type> {
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound.path.segments.last()?;
        arguments(last).find_map(|argument| match argument {
            GenericArgument::AssocType(output)
                if last.ident == "Future" && output.ident == "Output" =>
            {
                Some(output.ty.clone())
            }
            _ => None,
        })
    })
}

fn arguments(segment: &PathSegment) -> impl Iterator<Item = &GenericArgument> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten()
}
