using Kintsugi.Postgres.Checks;
using Kintsugi.Postgres.Checks.Catalog;
using Kintsugi.Postgres.Checks.Collations;
using Kintsugi.Postgres.Checks.Crossing;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.Keys;
using Kintsugi.Postgres.Checks.Maps;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Checks.Server;
using Kintsugi.Postgres.Checks.Storage;
using Kintsugi.Postgres.Checks.Uniqueness;
using Kintsugi.Postgres.Repairs;
using Kintsugi.Postgres.Repairs.Catalog;
using Kintsugi.Postgres.Repairs.Cluster;
using Kintsugi.Postgres.Repairs.Collations;
using Kintsugi.Postgres.Repairs.Maps;
using Kintsugi.Postgres.Repairs.Pages;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Repairs.Values;
using Kintsugi.Rules;

namespace Kintsugi.Postgres;

/// <summary>The two lists: every check, and every repair, the gentlest of a fault class first.</summary>
public static class PostgresRegistry
{
    /// <param name="rules">What the owner knows about the data beyond the schema.</param>
    public static Registry Create(ConsistencyRules rules) => new(Checks(rules), Repairs(rules));

    /// <summary>What the schema itself declares, without rules of the owner's.</summary>
    public static Registry Create() => Create(ConsistencyRules.None);

    /// <summary>For a cluster without its server: every check that reads files, and the repairs that need nobody to ask.</summary>
    public static Registry Stopped() => new(Checks(ConsistencyRules.None), [new ClusterFileRepair()]);

    /// <summary>For a server that lets nobody in, by its files.</summary>
    public static Registry LockedOut() => new(Checks(ConsistencyRules.None), [new OpenDoorRepair(), new ClusterFileRepair()]);

    private static IReadOnlyList<ICheck> Checks(ConsistencyRules rules) =>
    [
        new SettingsCheck(),
        new WraparoundCheck(),
        new ActivityCheck(),
        new ServerLogCheck(),
        new KnownBugCheck(),
        new ClusterFilesCheck(TimeProvider.System),
        new SharedPagesCheck(TimeProvider.System),
        new PagesCheck(TimeProvider.System),
        new SharedCatalogCheck(),
        new CatalogCheck(),
        new DefinitionsCheck(),
        // Within a layer those that read the files come first: what they doubt is not read through the server together with others.
        new HeapPagesCheck(TimeProvider.System),
        new HeapCheck(),
        new IndexEntriesCheck(TimeProvider.System),
        new CrossCheck(),
        new BTreeCheck(),
        new IndexKeysCheck(TimeProvider.System),
        new IndexStateCheck(),
        new CollationCheck(),
        new ToastValuesCheck(),
        new VisibilityMapCheck(TimeProvider.System),
        new FreeSpaceMapCheck(),
        new UniquenessCheck(),
        new EnforcementCheck(),
        .. RowChecks.All(rules),
    ];

    private static IReadOnlyList<IRepair> Repairs(ConsistencyRules rules) =>
    [
        new MendPagesRepair(TimeProvider.System),
        new RestorePagesRepair(TimeProvider.System),
        new RebuildSequenceRepair(),
        new RelinkToastRepair(TimeProvider.System),
        new RestoreValueRepair(TimeProvider.System),
        new RestoreInitForkRepair(),
        new ReindexRepair(),
        new DropLeftoverIndexRepair(),
        new RebuildVisibilityMapRepair(),
        new RebuildFreeSpaceMapRepair(),
        new RewriteTableRepair(),
        new RebuildForCollationRepair(),
        new AnalyzeRepair(),
        new CatalogRepair(),
        new ClusterFileRepair(),
        new RestoreLabelRepair(),
        .. RowRepairs.All(rules),
    ];
}
