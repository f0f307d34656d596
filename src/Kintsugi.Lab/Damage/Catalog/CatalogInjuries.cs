namespace Kintsugi.Lab.Damage;

/// <summary>A column without its row in pg_attribute.</summary>
public sealed class AttributeRowMissing() : SqlInjury(
    "catalog-attribute-missing",
    "A catalog page was lost or a catalog was edited by hand: the table has more columns than pg_attribute knows.",
    Faults.CatalogInconsistent, new InjuryTarget("public", "import_lines"),
    ["DELETE FROM pg_attribute WHERE attrelid = 'import_lines'::regclass AND attname = 'content'"],
    "SELECT count(*) < max(c.relnatts) FROM pg_attribute a, pg_class c WHERE c.relname = 'import_lines' AND "
    + "a.attrelid = c.oid AND a.attnum > 0");

/// <summary>An index without its row in pg_class: every query on its table fails.</summary>
public sealed class IndexClassRowMissing() : SqlInjury(
    "catalog-index-class-missing",
    "A catalog page was lost: pg_index still names an index that pg_class no longer has.",
    Faults.CatalogInconsistent, new InjuryTarget("public", "media_files", "media_files_digest_hash"),
    ["DELETE FROM pg_class WHERE relname = 'media_files_digest_hash'"],
    "SELECT EXISTS (SELECT FROM pg_index i WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = i.indexrelid))");

/// <summary>relhasindex is false although there are indexes: nobody uses or maintains them any more.</summary>
public sealed class HasIndexLost() : SqlInjury(
    "catalog-relhasindex-lost",
    "Catalog surgery or a bad in-place update: from now on writes pass the indexes by.",
    Faults.CatalogInconsistent, new InjuryTarget("public", "screenings"),
    ["UPDATE pg_class SET relhasindex = false WHERE oid = 'screenings'::regclass"],
    "SELECT NOT relhasindex AND EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid) FROM pg_class c WHERE oid = "
    + "'screenings'::regclass");

/// <summary>Triggers left disabled: foreign keys look declared and are not enforced.</summary>
public sealed class TriggersDisabled() : SqlInjury(
    "triggers-disabled",
    "ALTER TABLE … DISABLE TRIGGER ALL before a bulk load, and nobody turned them on again.",
    Faults.ConstraintUnenforced, new InjuryTarget("public", "movie_genres"),
    ["ALTER TABLE movie_genres DISABLE TRIGGER ALL"],
    "SELECT count(*) > 0 FROM pg_trigger WHERE tgrelid = 'movie_genres'::regclass AND tgenabled = 'D'");

/// <summary>A dependency on an object that does not exist.</summary>
public sealed class DanglingDependency() : SqlInjury(
    "catalog-dependency-dangling",
    "An object was removed from its catalog by hand, its dependencies stayed.",
    Faults.CatalogInconsistent, new InjuryTarget("public", "clips"),
    [
        """
        INSERT INTO pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
        VALUES ('pg_class'::regclass, 'clips'::regclass, 0, 'pg_proc'::regclass, 4123456789, 0, 'n')
        """,
    ],
    "SELECT count(*) = 1 FROM pg_depend WHERE refobjid = 4123456789");

/// <summary>A column whose type is gone from pg_type.</summary>
public sealed class TypeRowMissing() : SqlInjury(
    "catalog-type-missing",
    "A catalog page was lost: the labels of an enum are there, the type is not.",
    Faults.CatalogInconsistent, new InjuryTarget("public", "external_metadata"),
    ["DELETE FROM pg_type WHERE typname = 'provider'"],
    "SELECT EXISTS (SELECT FROM pg_attribute a WHERE atttypid <> 0 AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid "
    + "= a.atttypid))");

/// <summary>A table in a schema that does not exist.</summary>
public sealed class NamespaceDangling() : SqlInjury(
    "catalog-namespace-dangling",
    "A schema's row was deleted by hand; its table has become unreachable by name.",
    Faults.CatalogInconsistent, new InjuryTarget("", "🍿 %s {0}"),
    ["UPDATE pg_class SET relnamespace = 4123456788 WHERE relname = '🍿 %s {0}'"],
    "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = 4123456788)");

/// <summary>A foreign key without its triggers: declared, valid, and never checked.</summary>
public sealed class ConstraintTriggerMissing() : SqlInjury(
    "catalog-constraint-trigger-missing",
    "Triggers of a foreign key were deleted from the catalog, by hand or by a failed upgrade.",
    Faults.CatalogInconsistent, new InjuryTarget("public", "media_files"),
    [
        """
        DELETE FROM pg_trigger WHERE tgrelid = 'media_files'::regclass
          AND tgconstraint = (SELECT oid FROM pg_constraint WHERE conname = 'media_files_movie_id_fkey')
        """,
    ],
    """
    SELECT count(*) = 0 FROM pg_trigger WHERE tgrelid = 'media_files'::regclass
       AND tgconstraint = (SELECT oid FROM pg_constraint WHERE conname = 'media_files_movie_id_fkey')
    """);

/// <summary>A foreign key that was never validated, with orphans behind it.</summary>
public sealed class ForeignKeyNotValid() : SqlInjury(
    "fk-not-valid",
    "A foreign key was added NOT VALID and never validated.",
    Faults.ConstraintUnenforced, new InjuryTarget("public", "ratings_even"),
    [
        "ALTER TABLE ratings_even ADD CONSTRAINT ratings_even_movie_id_fkey FOREIGN KEY (movie_id) REFERENCES movies "
        + "(id) NOT VALID",
    ],
    "SELECT NOT convalidated FROM pg_constraint WHERE conname = 'ratings_even_movie_id_fkey'");
