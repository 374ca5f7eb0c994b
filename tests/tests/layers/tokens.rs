//! Paths among tokens that are not parsed: in the arguments of macros and attributes, and in the bodies of macros.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Token, UseTree};

/// A path as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
    /// The name that a `use` gives it.
    pub(crate) bound_as: Option<String>,
    /// A `use` of everything in it.
    pub(crate) glob: bool,
}

impl Written {
    pub(crate) fn path(segments: Vec<String>, line: usize) -> Self {
        let (bound_as, glob) = (None, false);
        Written {
            line,
            segments,
            bound_as,
            glob,
        }
    }
}

/// Every path of a `use`.
pub(crate) fn paths_of_use(prefix: &[String], tree: &UseTree, paths: &mut Vec<Written>) {
    let joined = |ident: &proc_macro2::Ident| {
        let mut segments = prefix.to_vec();
        // `a::{self}` is `a`.
        if ident != "self" || prefix.is_empty() {
            segments.push(ident.unraw().to_string());
        }
        Written::path(segments, ident.span().start().line)
    };
    match tree {
        UseTree::Path(path) => paths_of_use(&joined(&path.ident).segments, &path.tree, paths),
        UseTree::Name(name) => {
            let path = joined(&name.ident);
            let bound_as = path.segments.last().cloned();
            paths.push(Written { bound_as, ..path });
        }
        UseTree::Rename(rename) => {
            let bound_as = Some(rename.rename.unraw().to_string());
            paths.push(Written {
                bound_as,
                ..joined(&rename.ident)
            });
        }
        UseTree::Glob(glob) => {
            let line = glob.star_token.spans[0].start().line;
            paths.push(Written {
                glob: true,
                ..Written::path(prefix.to_vec(), line)
            });
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                paths_of_use(prefix, tree, paths);
            }
        }
    }
}

/// Every path of two segments or more, a `use` within included.
pub(crate) fn paths_of_tokens(tokens: TokenStream, paths: &mut Vec<Written>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut next = 0;
    while let Some(token) = tokens.get(next) {
        match token {
            TokenTree::Group(group) => paths_of_tokens(group.stream(), paths),
            TokenTree::Ident(ident) if ident == "crate" || begins_path(&tokens[..next]) => {
                next += read_path(&tokens[next..], paths);
                continue;
            }
            _ => {}
        }
        next += 1;
    }
}

/// Whether what comes next is neither a field, a lifetime, a macro's variable, nor the rest of another crate's path.
fn begins_path(before: &[TokenTree]) -> bool {
    let (before, last) = match before {
        [before @ .., TokenTree::Punct(last)] => (before.last(), last.as_char()),
        _ => return true,
    };
    match last {
        '.' => is_punct(before, '.'),
        ':' => !is_punct(before, ':'),
        '\'' | '$' => false,
        _ => true,
    }
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// Reads the path that `tokens` begin with, and says how many of them it takes.
fn read_path(tokens: &[TokenTree], paths: &mut Vec<Written>) -> usize {
    let mut segments = Vec::new();
    let line = tokens[0].span().start().line;
    let mut taken = 0;
    while let Some(TokenTree::Ident(ident)) = tokens.get(taken) {
        segments.push(ident.unraw().to_string());
        taken += 1;
        if !(is_punct(tokens.get(taken), ':') && is_punct(tokens.get(taken + 1), ':')) {
            break;
        }
        taken += 2;
    }
    match tokens.get(taken) {
        Some(TokenTree::Group(group))
            if tokens_end_in_colons(&tokens[..taken]) && group.delimiter() == Delimiter::Brace =>
        {
            let trees = Punctuated::<UseTree, Token![,]>::parse_terminated.parse2(group.stream());
            for tree in trees.into_iter().flatten() {
                paths_of_use(&segments, &tree, paths);
            }
            taken + 1
        }
        _ => {
            if segments.len() > 1 || tokens_end_in_colons(&tokens[..taken]) {
                paths.push(Written::path(segments, line));
            }
            taken
        }
    }
}

fn tokens_end_in_colons(tokens: &[TokenTree]) -> bool {
    is_punct(tokens.last(), ':')
}
