//! A figure stands in one place: those of the README are those of `benches/README.md`.

use super::page::Page;

#[test]
fn the_figures_of_the_readme_are_those_of_the_benchmarks() {
    let (readme, benches) = (Page::read("README.md"), Page::read("benches/README.md"));
    let (_, table) = readme.text.split_once("## How fast").unwrap();
    let rows = table.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = rows.skip(1).take_while(|line| line.starts_with('|'));
    let mut figures = 0;
    for row in rows {
        // The first cell says what was measured.
        let cells = row.split('|').skip(2);
        let words = cells.flat_map(|cell| cell.split([' ', ',', ';']));
        for word in words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())) {
            figures += 1;
            assert!(
                benches.text.contains(word),
                "{word} of `{row}` is in no benchmark"
            );
        }
    }
    assert!(figures >= 10, "only {figures} figures were found");
}
