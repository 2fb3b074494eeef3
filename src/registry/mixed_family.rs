//! Registers families whose series another library creates.

use std::sync::Arc;

use crate::error::{Conflict, Error};
use crate::metric::{Instrument, MixedOptions, MixedSet, downcast_set};
use crate::registry::Registry;
use crate::registry::metric_table::{MetricTable, by_library};
use crate::snapshot::{Desc, Labels};

impl Registry {
    /// Returns the family called `name` whose series another library creates. The series may have
    /// different label names.
    ///
    /// # Errors
    ///
    /// If the name is not valid, or belongs to another kind of metric or to one that the library
    /// does not create.
    pub(crate) fn mixed_family<M: Instrument>(
        &self,
        name: &str,
        help: &str,
        options: MixedOptions<M::Settings>,
    ) -> Result<Arc<MixedSet<M>>, Error> {
        let name = self.scope.name(name);
        self.scope.names().check_metric(&name)?;
        let constant = self.scope.labels();
        let mut table = self.table_mut();
        // A library may use both `jobs` and `jobs_total`.
        let exposed = Desc::new(&name, "", M::KIND);
        let same = match table.get(&name) {
            None => table.get_exposed(exposed.exposed_name()),
            Some(_) => None,
        };
        let name = &same.map_or(name, |entry| entry.desc().name().to_owned());
        if let Some(set) = table.find_mixed(name, constant, options.library)? {
            return Ok(set);
        }
        let desc = Desc::new(name, table.help(name, help), M::KIND);
        let set = Arc::new(MixedSet::new(desc, constant.clone(), options));
        table.insert(Arc::<MixedSet<M>>::clone(&set))?;
        Ok(set)
    }
}

impl MetricTable {
    /// Does what [`find`](Self::find) does, for a family whose series another library creates.
    fn find_mixed<M: Instrument>(
        &self,
        name: &str,
        constant: &Labels,
        library: &str,
    ) -> Result<Option<Arc<MixedSet<M>>>, Error> {
        let Some(entry) = self.get(name) else {
            return Ok(None);
        };
        let Some(group) = entry.group(constant) else {
            entry.check_new_group(M::KIND, constant, None)?;
            return Ok(None);
        };
        let set = downcast_set::<MixedSet<M>>(&group.set);
        set.map(Some).ok_or_else(|| match entry.desc().kind() {
            existing if existing == M::KIND => entry.conflict(
                Conflict::Metric,
                format_args!("as a {existing} of this crate"),
                format_args!("{}", by_library(library).trim_start()),
                "record it in one way only",
            ),
            _ => entry.kind_conflict(M::KIND),
        })
    }
}
