//! What a test calls, read off the test: `crossed("gate")`, wherever in it that stands.

use crate::template::render::Scope;
use minijinja::machinery::ast::CallArg;
use minijinja::machinery::ast::CallType;
use minijinja::machinery::ast::Expr;
use minijinja::machinery::parse_expr;
use serde_json::Value;

/// A call of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// The name of the function.
    pub name: String,
    /// What it is given, as far as the test says it; `None` for what is computed.
    pub given: Vec<Option<Value>>,
}

/// Each call in `test`, with what is written there or `known`; none where the test is no
/// expression.
pub(super) fn calls(test: &str, known: &Scope) -> Vec<Called> {
    let mut found = Vec::new();
    if let Ok(expr) = parse_expr(test) {
        visit(&expr, known, &mut found);
    }
    found
}

fn visit(expr: &Expr<'_>, known: &Scope, found: &mut Vec<Called>) {
    if let Expr::Call(call) = expr
        && let CallType::Function(name) = call.identify_call()
    {
        let given = call.args.iter().map(|argument| match argument {
            CallArg::Pos(expr) => value(expr, known),
            CallArg::Kwarg(..) | CallArg::PosSplat(_) | CallArg::KwargSplat(_) => None,
        });
        found.push(Called {
            name: name.to_owned(),
            given: given.collect(),
        });
    }
    for part in parts(expr) {
        visit(part, known, found);
    }
}

/// What an expression comes to, as far as it needs nothing that comes later.
pub(super) fn value(expr: &Expr<'_>, known: &Scope) -> Option<Value> {
    if let Expr::GetAttr(attribute) = expr
        && let Expr::Var(space) = &attribute.expr
    {
        return known.get(space.id).get(attribute.name).cloned();
    }
    let value: minijinja::Value = expr.as_const()?;
    serde_json::to_value(&value).ok()
}

// The expressions that an expression is made of.
fn parts<'a>(expr: &'a Expr<'a>) -> Vec<&'a Expr<'a>> {
    match expr {
        Expr::Var(_) | Expr::Const(_) => Vec::new(),
        Expr::Slice(slice) => {
            let bounds = [&slice.start, &slice.stop, &slice.step];
            let bounds = bounds.into_iter().flatten();
            std::iter::once(&slice.expr).chain(bounds).collect()
        }
        Expr::UnaryOp(op) => vec![&op.expr],
        Expr::BinOp(op) => vec![&op.left, &op.right],
        Expr::Compare(chain) => {
            let compared = chain.ops.iter().map(|link| &link.expr);
            std::iter::once(&chain.expr).chain(compared).collect()
        }
        Expr::IfExpr(choice) => {
            let both = [&choice.test_expr, &choice.true_expr];
            both.into_iter().chain(&choice.false_expr).collect()
        }
        Expr::Filter(filter) => filter.expr.iter().chain(given(&filter.args)).collect(),
        Expr::Test(test) => std::iter::once(&test.expr)
            .chain(given(&test.args))
            .collect(),
        Expr::GetAttr(attribute) => vec![&attribute.expr],
        Expr::GetItem(item) => vec![&item.expr, &item.subscript_expr],
        Expr::Call(call) => std::iter::once(&call.expr)
            .chain(given(&call.args))
            .collect(),
        Expr::List(list) => list.items.iter().collect(),
        Expr::Tuple(tuple) => tuple.items.iter().collect(),
        Expr::Map(map) => map.keys.iter().chain(&map.values).collect(),
    }
}

fn given<'a>(arguments: &'a [CallArg<'a>]) -> impl Iterator<Item = &'a Expr<'a>> {
    arguments.iter().map(|argument| match argument {
        CallArg::Pos(expr)
        | CallArg::Kwarg(_, expr)
        | CallArg::PosSplat(expr)
        | CallArg::KwargSplat(expr) => expr,
    })
}

#[cfg(test)]
mod tests {
    use super::calls;
    use crate::template::render::Scope;
    use serde_json::Map;
    use serde_json::json;

    #[test]
    fn calls_are_found_wherever_they_stand() {
        let vars = Map::from_iter([("gate".to_owned(), json!("north"))]);
        let known = Scope::default().with("vars", vars);
        for (test, expected) in [
            (
                "crossed('a') and not crossed(\"b\", 'forward')",
                &[r#"crossed ["a"]"#, r#"crossed ["b","forward"]"#][..],
            ),
            ("entered(vars.gate)", &[r#"entered ["north"]"#]),
            ("entered('a' ~ class_name)", &["entered [null]"]),
            (
                "(1 if crossed('a') else 2) > 1 or [entered('b')] == [true]",
                &[r#"crossed ["a"]"#, r#"entered ["b"]"#],
            ),
            ("first", &[]),
            ("crossed('a'", &[]),
        ] {
            let called = calls(test, &known).into_iter();
            let told = called.map(|it| format!("{} {}", it.name, json!(it.given)));
            assert_eq!(told.collect::<Vec<_>>(), expected, "{test}");
        }
    }
}
