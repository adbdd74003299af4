//! What a test compares its values with, read off the test: `class_name == "x"`, `class in [1, 2]`.
//!
//! Only what must hold for the test to be of use: nothing under `not`, and no comparison by size.

use crate::template::called::value;
use crate::template::render::Scope;
use minijinja::machinery::ast::BinOpKind;
use minijinja::machinery::ast::CompareOpKind;
use minijinja::machinery::ast::Expr;
use minijinja::machinery::ast::UnaryOpKind;
use minijinja::machinery::parse_expr;
use serde_json::Value as Json;
use std::ops::Range;

/// A value that is compared with one, or with one of several.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// What it must equal, any of them.
    pub with: Vec<Json>,
    /// The bytes of the test that say so.
    pub range: Range<usize>,
}

/// Each comparison of the value called `name` in `test`, with what is written there or `known`; none
/// where the test is no expression.
pub(super) fn comparisons(test: &str, name: &str, known: &Scope) -> Vec<Compared> {
    let mut search = Search {
        name,
        known,
        found: Vec::new(),
    };
    if let Ok(expr) = parse_expr(test) {
        search.visit(&expr);
    }
    search.found
}

#[derive(Clone, Copy)]
enum Relation {
    Equal,
    In,
}

struct Search<'a> {
    name: &'a str,
    known: &'a Scope,
    found: Vec<Compared>,
}

impl Search<'_> {
    fn visit(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::BinOp(op) => {
                let relation = match op.op {
                    BinOpKind::Eq => Some(Relation::Equal),
                    BinOpKind::In => Some(Relation::In),
                    _ => None,
                };
                match relation {
                    Some(relation) => self.compare(&op.left, relation, &op.right),
                    None => {
                        self.visit(&op.left);
                        self.visit(&op.right);
                    }
                }
            }
            Expr::Compare(chain) => {
                let mut left = &chain.expr;
                for link in &chain.ops {
                    let relation = match link.op {
                        CompareOpKind::Eq => Some(Relation::Equal),
                        CompareOpKind::In => Some(Relation::In),
                        _ => None,
                    };
                    if let Some(relation) = relation {
                        self.compare(left, relation, &link.expr);
                    }
                    left = &link.expr;
                }
            }
            Expr::IfExpr(choice) => {
                self.visit(&choice.test_expr);
                self.visit(&choice.true_expr);
                choice.false_expr.iter().for_each(|other| self.visit(other));
            }
            Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Neg) => self.visit(&op.expr),
            _ => {}
        }
    }

    fn compare(&mut self, left: &Expr<'_>, relation: Relation, right: &Expr<'_>) {
        let is_it = |expr: &Expr<'_>| matches!(expr, Expr::Var(var) if var.id == self.name);
        let with = match relation {
            Relation::Equal if is_it(left) => value(right, self.known).map(|value| vec![value]),
            Relation::Equal if is_it(right) => value(left, self.known).map(|value| vec![value]),
            Relation::In if is_it(left) => match value(right, self.known) {
                Some(Json::Array(items)) => Some(items),
                // A text holds other texts.
                _ => None,
            },
            _ => None,
        };
        // That of a whole comparison begins with the word before it.
        let range = left.span().start_offset as usize..right.span().end_offset as usize;
        self.found.extend(with.map(|with| Compared { with, range }));
    }
}

#[cfg(test)]
mod tests {
    use super::comparisons;
    use crate::template::render::Scope;
    use serde_json::Map;
    use serde_json::json;

    fn compared(test: &str, name: &str) -> Vec<String> {
        let vars = Map::from_iter([("who".to_owned(), json!("dog"))]);
        let known = Scope::default().with("vars", vars);
        let found = comparisons(test, name, &known).into_iter();
        let told = found.map(|found| {
            let place = test.get(found.range).unwrap_or("?");
            format!("{} in {place}", json!(found.with))
        });
        told.collect()
    }

    #[test]
    fn what_a_value_must_equal_is_read_off_the_test() {
        for (test, expected) in [
            (
                "class_name == 'cat'",
                &[r#"["cat"] in class_name == 'cat'"#][..],
            ),
            (
                "'cat' == class_name",
                &[r#"["cat"] in 'cat' == class_name"#],
            ),
            (
                "class_name == vars.who",
                &[r#"["dog"] in class_name == vars.who"#],
            ),
            (
                "confidence > 0.5 and class_name in ['a', \"b\"] or class_name == 'c'",
                &[
                    r#"["a","b"] in class_name in ['a', "b"]"#,
                    r#"["c"] in class_name == 'c'"#,
                ],
            ),
            ("class_name != 'a' and not class_name == 'b'", &[]),
            ("class_name not in ['a']", &[]),
            ("class_name in 'a b'", &[]),
            ("class_name == vars.other", &[]),
            ("class_name is startingwith 'p'", &[]),
            ("class_name ==", &[]),
        ] {
            assert_eq!(compared(test, "class_name"), expected, "{test}");
        }
        assert_eq!(
            compared("class in [1, 2]", "class"),
            ["[1,2] in class in [1, 2]"]
        );
    }
}
