use callslip::Config;
use callslip::loan::ConnectionSettings;
use tokio_postgres::Client;

use crate::{component_with, connect_to, database};

/// Lists with ties and nulls, of every kind of type that can be sorted.
const ITEMS: &str = r#"
    CREATE TYPE kind AS ENUM ('zebra', 'ant', 'mule');
    CREATE TABLE item (
        id int4 PRIMARY KEY, title text NOT NULL COLLATE "C", weight numeric, made timestamptz, kind kind, ref uuid, ratio float8,
        span interval, doc jsonb, home inet, flag bool, large int8, day date, bytes bytea, small int2, code varchar(9), names text[],
        period daterange);
    INSERT INTO item SELECT
        id,
        (ARRAY['Baker', 'a "quoted", one', E'line\nbreak', 'Ähre', '', 'Baker'])[1 + id % 6],
        CASE id % 5 WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 0.10 ELSE 12345678901234567890.123456789 + id % 2 END,
        CASE id % 4 WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN '0044-03-15 12:00:00.000001+00 BC'
             ELSE '2026-03-29 01:30:00.123456+01'::timestamptz + id % 3 * interval '1 microsecond' END,
        CASE WHEN id % 4 > 0 THEN (ARRAY['mule', 'zebra', 'ant'])[id % 4]::kind END,
        CASE WHEN id % 7 > 0 THEN ('00000000-0000-4000-8000-00000000000' || id % 3)::uuid END,
        (ARRAY[0.1, 'NaN', '-0', '-Infinity', 1e-300, 0.30000000000000004, NULL])[1 + id % 7],
        (ARRAY['1 month', '30 days', '-1 day +02:03:04.5', '720:00', NULL, '0']::interval[])[1 + id % 6],
        (ARRAY['{"a": [1, null]}', '1.50', '"x\"y"', NULL, 'null', '1.5'])[1 + id % 6]::jsonb,
        (ARRAY['10.0.0.1', '10.0.0.0/8', '::1', NULL])[1 + id % 4]::inet,
        (ARRAY[true, false, NULL])[1 + id % 3],
        CASE WHEN id % 3 > 0 THEN 9007199254740993 * (id % 4 - 1) END,
        (ARRAY['infinity', '2026-01-31', '0044-03-15 BC', NULL]::date[])[1 + id % 4],
        (ARRAY['\x00ff', '\x', '\x00', NULL]::bytea[])[1 + id % 4],
        CASE WHEN id % 5 > 0 THEN id % 3 END,
        (ARRAY['b ', 'b', 'NULL', NULL, 'null'])[1 + id % 5],
        (ARRAY['{}', '{a,NULL}', '{"NULL","a\"b,c"}', NULL])[1 + id % 4]::text[],
        (ARRAY['empty', '[2026-01-01,)', '(,2026-02-01)', NULL]::daterange[])[1 + id % 4]
    FROM generate_series(1, 23) AS id;
    CREATE INDEX item_title ON item (title, id);
    GRANT USAGE ON SCHEMA public TO callslip_reader;
    GRANT SELECT ON item TO callslip_reader;"#;

/// A database of a test's own, with the table of the plugin `paged`.
pub struct Paged {
    /// Who may change it.
    pub owner: Client,
    /// The URL of the login of the hosts.
    pub url: String,
}

impl Paged {
    /// A database of this name.
    ///
    /// # Panics
    /// If it can't be made.
    pub async fn new(name: &str) -> Self {
        let url = database().bare(name).await;
        let owner = connect_to(&url).await;
        owner.batch_execute(ITEMS).await.unwrap_or_else(|error| panic!("{error:?}"));
        Self { owner, url: url.replacen("://postgres@", "://callslip_reader@", 1) }
    }

    /// How the hosts log in.
    ///
    /// # Panics
    /// Never.
    pub fn connection(&self) -> ConnectionSettings {
        ConnectionSettings::resolve(Some(&self.url), &|_| None).expect("it is one")
    }

    /// The configuration of the plugin, or of its version with a feature, before which these settings stand.
    ///
    /// # Panics
    /// If it does not build.
    pub fn settings(settings: &str, feature: Option<&str>) -> String {
        let component = component_with("tests/guests/paged", feature);
        format!(
            "{settings}\n[plugins.paged]\ncomponent = {component:?}\n[plugins.paged.grants]\nrelations = [\"item\"]\n"
        )
    }

    /// The same, read.
    ///
    /// # Panics
    /// If it can't be used.
    pub fn config(settings: &str, feature: Option<&str>) -> Config {
        Config::parse(&Self::settings(settings, feature), "".as_ref())
            .unwrap_or_else(|error| panic!("{error}"))
    }
}
