//! What a client asks for behind the `?`.

use form_urlencoded::parse;

/// What is to be left out of an answer.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ScrapeQuery {
    /// The names of the metrics that are wanted, where not all are.
    pub(super) names: Option<Vec<String>>,
    /// The most series that are wanted.
    pub(super) limit: Option<usize>,
}

impl ScrapeQuery {
    /// Reads `name[]=` and `limit=`, either any number of times, of which the last
    /// limit counts; what else is there is passed over, as is a limit that is no
    /// number.
    pub(super) fn parse(text: Option<&str>) -> Self {
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
    fn names_and_the_limit_are_read_and_nothing_else() {
        let read = |text| ScrapeQuery::parse(Some(text));
        assert_eq!(ScrapeQuery::parse(None), ScrapeQuery::default());
        assert_eq!(read("a=b&limit=many&name=x&&=&%"), ScrapeQuery::default());
        // A limit is not lifted by what is none.
        assert_eq!(read("limit=1&limit=many&limit=").limit, Some(1));
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(
            read("name[]=a&name%5B%5D=b%2Ec+d&limit=1&limit=20&limit=x"),
            ScrapeQuery {
                names: names(&["a", "b.c d"]),
                limit: Some(20),
            }
        );
        assert_eq!(read("name[]=").names, names(&[""]));
        assert_eq!(read("name[]=%ff%00").names, names(&["\u{fffd}\0"]));
    }
}
