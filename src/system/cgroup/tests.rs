use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Files in a temporary directory, which is removed when this is dropped.
struct Files(PathBuf);

impl Files {
    fn new(test: &str, files: &[(&str, &str)]) -> Self {
        let name = format!("tachometer-cgroup-{test}-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(root)
    }

    fn read(&self) -> Container {
        let group = Cgroup::find(&self.0.join("fs"), &self.0.join("list"));
        group.map(|group| group.read()).unwrap_or_default()
    }

    fn set(&self, path: &str, text: &str) {
        fs::write(self.0.join(path), text).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.0.join(path)).unwrap();
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const V2_CONTAINER: [(&str, &str); 7] = [
    ("list", "0::/\n"),
    ("fs/cgroup.controllers", "cpu memory\n"),
    ("fs/memory.max", "536870912\n"),
    ("fs/memory.current", "104857600\n"),
    ("fs/memory.stat", "anon 1\ninactive_file 4096\nfile 8192\n"),
    ("fs/cpu.max", "150000 100000\n"),
    (
        "fs/cpu.stat",
        "usage_usec 2500000\nuser_usec 2000000\nnr_throttled 3\nthrottled_usec 250000\n",
    ),
];

#[test]
fn a_container_of_version_2_is_read_from_its_root() {
    let files = Files::new("v2", &V2_CONTAINER);
    let all = Container {
        memory: Some(104_857_600.0),
        memory_limit: Some(536_870_912.0),
        reclaimable_memory: Some(4_096.0),
        cpu_seconds: Some(2.5),
        throttled_seconds: Some(0.25),
        cpu_limit: Some(1.5),
    };
    assert_eq!(files.read(), all);
    // Without a limit there is no value.
    files.set("fs/memory.max", "max\n");
    files.set("fs/cpu.max", "max 100000\n");
    let unlimited = Container {
        memory_limit: None,
        cpu_limit: None,
        ..all
    };
    assert_eq!(files.read(), unlimited);
}

#[test]
fn malformed_values_are_omitted() {
    let files = Files::new("garbage", &V2_CONTAINER);
    let whole = files.read();
    for text in [
        "",
        "\n",
        "max",
        "-1",
        "1e3",
        "NaN",
        "99999999999999999999999",
        "\u{1f980}",
        "1 2",
    ] {
        files.set("fs/memory.max", text);
        assert_eq!(files.read().memory_limit, None, "{text:?}");
    }
    for text in [
        "",
        "max",
        "100000",
        "100000 0",
        "-1 100000",
        "x y",
        "1 2 3",
        " ",
    ] {
        files.set("fs/cpu.max", text);
        assert_eq!(files.read().cpu_limit, None, "{text:?}");
    }
    for text in [
        "",
        "usage_usec",
        "usage_usec \n",
        "usage_usec -5",
        "xusage_usec 5",
    ] {
        files.set("fs/cpu.stat", text);
        let read = files.read();
        assert_eq!(
            (read.cpu_seconds, read.throttled_seconds),
            (None, None),
            "{text:?}"
        );
    }
    fs::write(files.0.join("fs/memory.stat"), [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(files.read().reclaimable_memory, None);
    assert_eq!(files.read().memory, whole.memory);
    for (path, _) in &V2_CONTAINER[2..] {
        files.remove(path);
    }
    assert_eq!(files.read(), Container::default());
    files.remove("list");
    assert!(Cgroup::find(&files.0.join("fs"), &files.0.join("list")).is_none());
}

#[test]
fn limits_of_parent_groups_apply() {
    let files = Files::new(
        "around",
        &[
            ("list", "1:name=systemd:/other\n0::/pod/one\n"),
            ("fs/cgroup.controllers", ""),
            ("fs/memory.max", "1"),
            ("fs/pod/memory.max", "1000"),
            ("fs/pod/cpu.max", "50000 100000"),
            ("fs/pod/memory.current", "900"),
            ("fs/pod/one/memory.max", "2000"),
            ("fs/pod/one/cpu.max", "max 100000"),
            ("fs/pod/one/memory.current", "300"),
        ],
    );
    // Directories above the root of the hierarchy are not groups.
    fs::write(files.0.join("memory.max"), "0").unwrap();
    let read = files.read();
    assert_eq!(read.memory_limit, Some(1.0));
    files.remove("fs/memory.max");
    let read = files.read();
    assert_eq!(read.memory_limit, Some(1000.0));
    assert_eq!(read.cpu_limit, Some(0.5));
    assert_eq!(read.memory, Some(300.0));
}

#[test]
fn a_host_is_not_a_container() {
    // A systemd service without limits, and the root of the host.
    let service = [
        ("list", "0::/system.slice/one.service\n"),
        ("fs/cgroup.controllers", ""),
        ("fs/system.slice/one.service/memory.max", "max"),
        ("fs/system.slice/one.service/memory.current", "300"),
    ];
    let files = Files::new("service", &service);
    assert_eq!(files.read(), Container::default());
    // A limit makes it a container.
    files.set("fs/system.slice/one.service/memory.max", "400");
    assert_eq!(files.read().memory, Some(300.0));
    files.set("list", "0::/\n");
    assert_eq!(files.read(), Container::default());
    // The path of the host, while the container's own group is mounted.
    files.set("list", "0::/docker/abc\n");
    files.set("fs/memory.current", "5");
    assert_eq!(files.read().memory, Some(5.0));
}

/// Every group has this file, except the host's root.
#[test]
fn a_container_without_memory_accounting_is_recognized_by_its_events() {
    let container = [
        ("list", "0::/\n"),
        ("fs/cgroup.controllers", "cpu"),
        ("fs/cgroup.events", "populated 1\nfrozen 0\n"),
        ("fs/cpu.stat", "usage_usec 2500000\n"),
    ];
    let files = Files::new("events", &container);
    assert_eq!(files.read().cpu_seconds, Some(2.5));
}

/// A group outside of the process's cgroup namespace is not mounted.
#[test]
fn a_host_is_not_a_container_if_the_group_of_the_process_is_not_mounted() {
    let machine = [
        ("list", "0::/../system.slice/one.service\n"),
        ("fs/cgroup.controllers", "cpu memory"),
        ("fs/cpu.stat", "usage_usec 2500000\n"),
        ("fs/memory.stat", "inactive_file 4096\n"),
    ];
    let files = Files::new("machine", &machine);
    assert_eq!(files.read(), Container::default());
}

#[test]
fn an_unmounted_controller_is_not_a_container() {
    let service = "/system.slice/one.service";
    let list = format!("4:memory:{service}\n3:cpu,cpuacct:{service}\n");
    let usage = format!("fs/cpuacct{service}/cpuacct.usage");
    let quota = format!("fs/cpu{service}/cpu.cfs_quota_us");
    let files = Files::new(
        "unmounted",
        &[("list", &*list), (&*usage, "2500000000"), (&*quota, "-1")],
    );
    assert_eq!(files.read(), Container::default());
}

#[test]
fn version_1_has_a_directory_for_each_controller() {
    let files = Files::new(
        "v1",
        &[
            (
                "list",
                "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/x\n",
            ),
            ("fs/memory/memory.usage_in_bytes", "1000"),
            ("fs/memory/memory.limit_in_bytes", "9223372036854771712"),
            (
                "fs/memory/memory.stat",
                "inactive_file 1\ntotal_inactive_file 200\n",
            ),
            ("fs/cpu/cpu.cfs_quota_us", "-1\n"),
            ("fs/cpu/cpu.cfs_period_us", "100000\n"),
            (
                "fs/cpu/cpu.stat",
                "nr_throttled 3\nthrottled_time 1500000000\n",
            ),
            ("fs/cpuacct/cpuacct.usage", "2500000000\n"),
        ],
    );
    let mut expected = Container {
        memory: Some(1000.0),
        memory_limit: None,
        reclaimable_memory: Some(200.0),
        cpu_seconds: Some(2.5),
        throttled_seconds: Some(1.5),
        cpu_limit: None,
    };
    assert_eq!(files.read(), expected);
    // A 32-bit kernel writes this if there is no limit.
    files.set("fs/memory/memory.limit_in_bytes", "8796093018112");
    assert_eq!(files.read(), expected);
    files.set("fs/memory/memory.limit_in_bytes", "4096");
    files.set("fs/cpu/cpu.cfs_quota_us", "250000");
    expected.memory_limit = Some(4096.0);
    expected.cpu_limit = Some(2.5);
    assert_eq!(files.read(), expected);
    // A period of 0 is invalid.
    files.set("fs/cpu/cpu.cfs_period_us", "0");
    expected.cpu_limit = None;
    assert_eq!(files.read(), expected);

    // A root may be the host's: its usage is read only if it has a limit.
    files.set("list", "4:memory:/\n3:cpu,cpuacct:/\n");
    let read = files.read();
    assert_eq!((read.memory, read.cpu_seconds), (Some(1000.0), None));
    files.set("fs/memory/memory.limit_in_bytes", "9223372036854771712");
    assert_eq!(files.read(), Container::default());
}

#[test]
fn malformed_lists_have_no_group() {
    let files = Files::new("lists", &V2_CONTAINER);
    for list in [
        "",
        "\n",
        "0",
        "0:",
        "x:memory:/",
        "::::",
        "0:memory",
        "\u{1f980}:\u{1f980}:/",
    ] {
        files.set("list", list);
        let read = files.read();
        assert!(read == Container::default(), "{list:?}: {read:?}");
    }
    assert!(Cgroup::find(Path::new("/nowhere"), &files.0.join("list")).is_none());
}

/// All values are finite and not negative, whatever the files contain.
#[test]
fn random_files_are_read_as_numbers_or_omitted() {
    let v1 = [
        "fs/memory/memory.usage_in_bytes",
        "fs/memory/memory.limit_in_bytes",
        "fs/memory/memory.stat",
        "fs/cpu/cpu.cfs_quota_us",
        "fs/cpu/cpu.cfs_period_us",
        "fs/cpu/cpu.stat",
        "fs/cpuacct/cpuacct.usage",
    ];
    let pieces = [
        "0",
        "1",
        "-1",
        "max",
        " ",
        "\n",
        ":",
        "/",
        ",",
        "memory",
        "cpu",
        "cpuacct",
        "..",
        "18446744073709551615",
        "usage_usec",
        "throttled_time",
        "inactive_file",
        "\u{1f980}",
    ];
    let mut random = fastrand::Rng::with_seed(8);
    for is_v1 in [false, true] {
        let files = if is_v1 {
            Files::new("random-1", &v1.map(|path| (path, "")))
        } else {
            Files::new("random-2", &V2_CONTAINER)
        };
        let v2: Vec<_> = V2_CONTAINER.iter().map(|(path, _)| *path).collect();
        let paths = if is_v1 { &v1[..] } else { &v2[2..] };
        for _ in 0..2_000 {
            let text: String = (0..random.usize(0..8))
                .map(|_| *random.choice(pieces.iter()).unwrap())
                .collect();
            files.set(random.choice(paths.iter()).unwrap(), &text);
            if random.bool() {
                let list = ["0::/", "4:memory:/\n3:cpu,cpuacct:/a", &text];
                files.set("list", random.choice(list.iter()).unwrap());
            }
            let read = files.read();
            let all = [
                read.memory,
                read.memory_limit,
                read.reclaimable_memory,
                read.cpu_seconds,
                read.throttled_seconds,
                read.cpu_limit,
            ];
            let is_valid = |number: &f64| number.is_finite() && *number >= 0.0;
            assert!(all.iter().flatten().all(is_valid), "{read:?}");
        }
    }
}
