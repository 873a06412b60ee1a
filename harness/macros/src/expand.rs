//! Generates the test function that libtest runs.

use crate::attributes::{Attributes, ModelAttributes};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{
    Attribute, Error, Expr, FnArg, Ident, ItemFn, Pat, PatType, Result, ReturnType, Type, parse2, spanned::Spanned,
};

/// A workload argument.
struct Argument {
    name: syn::Ident,
    ty: Type,
    strategy: Option<Expr>,
}

/// Expands `#[refrain::test]`.
pub fn test(attributes: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let read = Attributes::parse(attributes)?;
    let mut item: ItemFn = parse2(item)?;
    if item.sig.asyncness.is_none() {
        return Err(Error::new(item.sig.fn_token.span(), "#[refrain::test] is for an `async fn`"));
    }
    if let Some(param) = item.sig.generics.params.first() {
        return Err(Error::new(param.span(), "a test has no generic parameters"));
    }
    let mut inputs = item.sig.inputs.iter_mut();
    if inputs.next().is_none() {
        return Err(Error::new(item.sig.paren_token.span.join(), "the first parameter is the `World`"));
    }
    let arguments = inputs.map(argument).collect::<Result<Vec<_>>>()?;

    let name = &item.sig.ident;
    let outer = std::mem::take(&mut item.attrs);
    let body = &item;
    let (names, types): (Vec<_>, Vec<_>) = arguments.iter().map(|a| (a.name.to_string(), &a.ty)).unzip();
    let parameters = arguments.iter().map(|argument| {
        let (name, ty) = (argument.name.to_string(), &argument.ty);
        match &argument.strategy {
            Some(strategy) => quote_spanned! { strategy.span() =>
                ::refrain::__private::Parameter::new(#name, #strategy)
            },
            None => quote_spanned! { ty.span() =>
                ::refrain::__private::Parameter::new(#name, ::refrain::__private::any::<#ty>())
            },
        }
    });
    let Attributes { runs, time_limit_ms, poll_limit_ms, memory_mib, expect, without_holds, allow, snapshot } = read;
    let allow = allow.into_iter().map(|variant| Ident::new(variant, name.span()));
    let succeed = succeed(&item);
    let fields = quote! {
        runs: #runs,
        poll_limit_ms: #poll_limit_ms,
        memory_mib: #memory_mib,
        snapshot: #snapshot,
        engine: &::refrain::__private::Scenario {
            time_limit_ms: #time_limit_ms,
            without_holds: #without_holds,
            allow: &[#(::refrain::__private::Outside::#allow),*],
            parameters: || ::std::vec![#(#parameters),*],
            body: |values| {
                let mut values = values.into_iter();
                let mut next = || values.next().unwrap_or_default();
                let _ = &mut next;
                let test = #name(
                    ::refrain::__private::world(),
                    #(::refrain::__private::argument::<#types>(#names, next())?),*
                );
                ::core::result::Result::Ok(::std::boxed::Box::pin(async move { #succeed(test.await) }))
            },
        },
    };
    announced(name, &outer, body, expect, &fields)
}

/// Expands `#[refrain::model]`.
pub fn model(attributes: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let read = ModelAttributes::parse(attributes)?;
    let mut item: ItemFn = parse2(item)?;
    if let Some(asyncness) = item.sig.asyncness {
        return Err(Error::new(
            asyncness.span(),
            "#[refrain::model] is for a fn that is not async: its threads are threads",
        ));
    }
    if let Some(param) = item.sig.generics.params.first() {
        return Err(Error::new(param.span(), "a model has no generic parameters"));
    }
    if let Some(input) = item.sig.inputs.first() {
        return Err(Error::new(
            input.span(),
            "a model has no parameters: what differs between executions is the order",
        ));
    }
    let name = &item.sig.ident;
    let outer = std::mem::take(&mut item.attrs);
    let ModelAttributes { runs, complete, preemptions, engine, time_limit_ms, memory_mib, expect, snapshot } = read;
    let option = |value: Option<TokenStream>| match value {
        Some(value) => quote! { ::core::option::Option::Some(#value) },
        None => quote! { ::core::option::Option::None },
    };
    let preemptions = option(preemptions.map(|max| quote! { #max }));
    let engine = option(engine.map(|name| quote! { #name }));
    let succeed = succeed(&item);
    let fields = quote! {
        runs: #runs,
        poll_limit_ms: #time_limit_ms,
        memory_mib: #memory_mib,
        snapshot: #snapshot,
        engine: &::refrain::__private::Model {
            body: || #succeed(#name()),
            searcher: #engine,
            preemptions: #preemptions,
            complete: #complete,
        },
    };
    announced(name, &outer, &item, expect, &fields)
}

/// Converts the test's result, spanned at its return type, so that the compiler reports an error of a wrong type there.
fn succeed(item: &ItemFn) -> TokenStream {
    let at = match &item.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => item.sig.ident.span(),
    };
    quote_spanned! { at => ::refrain::__private::succeed }
}

/// Wraps the written function in the one that libtest runs.
fn announced(
    name: &Ident,
    outer: &[Attribute],
    body: &ItemFn,
    expect: Option<(&str, &str)>,
    fields: &TokenStream,
) -> Result<TokenStream> {
    if let Some(attribute) = outer.iter().find(|attribute| attribute.path().is_ident("should_panic")) {
        let why = "a panic of the service is a verdict: say `expect = \"panic\"` in the test's attribute, and it must be caught";
        return Err(Error::new(attribute.span(), why));
    }
    let is_ignored = outer.iter().any(|attribute| attribute.path().is_ident("ignore"));
    let ignored = if is_ignored { "\u{3}ignored" } else { "" };
    let expect_name = expect.map_or("", |(name, _)| name);
    let expect = match expect {
        Some((_, variant)) => {
            let variant = Ident::new(variant, name.span());
            quote! { ::core::option::Option::Some(::refrain::__private::Class::#variant) }
        }
        None => quote! { ::core::option::Option::None },
    };
    Ok(quote! {
        #(#outer)*
        #[cfg_attr(test, ::core::prelude::v1::test)]
        #[cfg_attr(not(test), allow(dead_code))]
        fn #name() {
            #body
            static TEST: ::refrain::__private::Test = ::refrain::__private::Test {
                // `cargo refrain` finds this text in the executable; see refrain::find.
                announcement: ::core::concat!(
                    "\u{1}refrain-test\u{2}", ::core::module_path!(), "::", ::core::stringify!(#name), "\u{3}",
                    ::core::file!(), ":", ::core::line!(), "\u{3}", #expect_name, #ignored, "\u{4}",
                ),
                path: ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#name)),
                package: ::core::env!("CARGO_PKG_NAME"),
                compiled_in: ::core::env!("CARGO_MANIFEST_DIR"),
                krate: match ::core::option_env!("CARGO_CRATE_NAME") {
                    ::core::option::Option::Some(name) => name,
                    ::core::option::Option::None => "",
                },
                built_as: (::core::option_env!("CARGO_TARGET_TMPDIR"), ::core::option_env!("CARGO_BIN_NAME")),
                expect: #expect,
                #fields
            };
            for snapshot in ::refrain::__private::run(&TEST) {
                ::refrain::__private::insta::with_settings!({
                    snapshot_path => snapshot.folder,
                    prepend_module_to_snapshot => false,
                    omit_expression => true,
                    description => snapshot.description,
                }, {
                    ::refrain::__private::insta::assert_snapshot!(snapshot.name, snapshot.text);
                });
            }
        }
    })
}

fn argument(input: &mut FnArg) -> Result<Argument> {
    let FnArg::Typed(PatType { attrs, pat, ty, .. }) = input else {
        return Err(Error::new(input.span(), "a test has no receiver"));
    };
    let Pat::Ident(ident) = &**pat else {
        return Err(Error::new(pat.span(), "a workload argument is a plain name"));
    };
    let name = ident.ident.clone();
    let mut strategy = None;
    for attribute in std::mem::take(attrs) {
        if !attribute.path().is_ident("any") {
            return Err(Error::new(attribute.span(), "expected #[any(STRATEGY)]"));
        }
        strategy = Some(attribute.parse_args::<Expr>()?);
    }
    Ok(Argument { name, ty: (**ty).clone(), strategy })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expanded: Result<TokenStream>, error: &str) {
        let said = expanded.map_or_else(|error| error.to_string(), |_| "it expands".into());
        assert!(said.contains(error), "{said}");
    }

    #[test]
    fn should_panic_is_refused() {
        let why = "say `expect = \"panic\"` in the test's attribute";
        check(test(quote!(), quote! { #[should_panic] async fn t(world: World) {} }), why);
        check(test(quote!(), quote! { #[should_panic(expected = "x")] async fn t(world: World) {} }), why);
        check(model(quote!(), quote! { #[should_panic] fn m() {} }), why);
    }

    #[test]
    fn memory_has_a_unit_and_is_enough_to_begin_with() {
        for said in ["128 MiB", "255 MiB", "4", "4 GB", "-1 GiB", "99999999999999999999 GiB", "17179869184 GiB"] {
            check(
                test(quote!(memory = #said), quote! { async fn t(world: World) {} }),
                "expected at least \"256 MiB\"",
            );
            check(model(quote!(memory = #said), quote! { fn m() {} }), "expected at least \"256 MiB\"");
        }
        for (said, mib) in [("256 MiB", "256u64"), ("4 GiB", "4096u64"), ("4GiB", "4096u64")] {
            let expanded = test(quote!(memory = #said), quote! { async fn t(world: World) {} }).unwrap().to_string();
            assert!(expanded.contains(&format!("memory_mib : {mib}")), "{expanded}");
        }
    }

    #[test]
    fn what_is_allowed_has_a_name() {
        let expanded = |said: TokenStream| test(said, quote! { async fn t(world: World) {} });
        let known = expanded(quote!(allow = ["files", "system-calls"])).unwrap().to_string();
        for outside in ["Outside :: Files", "Outside :: SystemCalls"] {
            assert!(known.contains(outside), "{known}");
        }
        let names = r#"expected one of "network", "processes", "threads", "files", "system-calls""#;
        check(expanded(quote!(allow = ["file"])), names);
        check(expanded(quote!(allow = ["files", ""])), names);
        check(expanded(quote!(allow = "files")), "expected square brackets");
    }

    #[test]
    fn an_ignored_test_announces_it() {
        let expanded = |item| test(quote!(), item).unwrap().to_string();
        let ignored = r#""\u{3}ignored""#;
        assert!(expanded(quote! { #[ignore = "slow"] async fn t(world: World) {} }).contains(ignored));
        assert!(!expanded(quote! { async fn t(world: World) {} }).contains(ignored));
    }
}
