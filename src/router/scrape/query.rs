//! The query string of a scrape.

use form_urlencoded::parse;

/// The parameters of a scrape.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ScrapeQuery {
    /// The names of the selected metrics. `None` selects all.
    pub(crate) names: Option<Vec<String>>,
    /// The maximum number of series.
    pub(crate) limit: Option<usize>,
}

impl ScrapeQuery {
    /// Parses `name[]=` and `limit=`. Both may be repeated; the last valid limit wins. Other
    /// parameters, and limits that are not numbers, are ignored.
    pub(crate) fn parse(text: Option<&str>) -> Self {
        let mut query = Self::default();
        for (name, value) in parse(text.unwrap_or_default().as_bytes()) {
            match &*name {
                "name[]" => query.names.get_or_insert_default().push(value.into_owned()),
                "limit" => query.limit = value.parse().ok().or(query.limit),
                _ => {}
            }
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_and_the_limit_are_parsed() {
        let parse = |text| ScrapeQuery::parse(Some(text));
        assert_eq!(ScrapeQuery::parse(None), ScrapeQuery::default());
        assert_eq!(parse("a=b&limit=many&name=x&&=&%"), ScrapeQuery::default());
        // An invalid limit does not remove a valid one.
        assert_eq!(parse("limit=1&limit=many&limit=").limit, Some(1));
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(
            parse("name[]=a&name%5B%5D=b%2Ec+d&limit=1&limit=20&limit=x"),
            ScrapeQuery {
                names: names(&["a", "b.c d"]),
                limit: Some(20),
            }
        );
        assert_eq!(parse("name[]=").names, names(&[""]));
        assert_eq!(parse("name[]=%ff%00").names, names(&["\u{fffd}\0"]));
    }
}
