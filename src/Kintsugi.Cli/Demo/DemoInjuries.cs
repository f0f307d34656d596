namespace Kintsugi.Cli.Demo;

/// <summary>What the demo injures unless it is told otherwise: different accidents, each of which can be mended without losing a row.</summary>
internal static class DemoInjuries
{
    public static IReadOnlyList<string> Names { get; } =
    [
        "btree-entry-missing", "opclass-order-changed", "btree-leaf-zeroed", "btree-items-swapped", "btree-bit-rot",
        "toast-index-entry-missing", "reindex-leftover", "orphan-composite",
    ];
}
