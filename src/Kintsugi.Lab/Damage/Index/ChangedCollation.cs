using System.Globalization;

namespace Kintsugi.Lab.Damage;

/// <summary>The order of an ICU collation changed under an index that was built with it.</summary>
public sealed class ChangedCollation() : Injury(
    "collation-order-changed",
    "The operating system was upgraded and with it the sort order of glibc or ICU: indexes on text keep the old one.",
    Faults.IndexCorrupt, new InjuryTarget("public", "movies", "movies_shelf_title_idx"))
{
    protected internal override async Task<IReadOnlyList<FileDamage>> Plan(InjuryRoom room, CancellationToken cancellationToken)
    {
        // Digits no longer sort by their number: `Bowl 9` used to stand before `Bowl 10`.
        var column = room.Cluster.Major switch
        {
            < 15 => "collcollate = 'en-u-kn-false', collctype",
            < 17 => "colliculocale",
            _ => "colllocale",
        };
        await room.Execute(
            string.Create(CultureInfo.InvariantCulture,
                $"UPDATE pg_collation SET {column} = 'en-u-kn-false' WHERE collname = 'natural_order'"),
            cancellationToken);
        return [];
    }

    protected internal override async Task Prove(InjuryRoom room, CancellationToken cancellationToken)
    {
        if (!await room.Scalar<bool>("SELECT 'Bowl 10' < 'Bowl 9' COLLATE natural_order", cancellationToken))
            throw DidNotTake("numbers still sort by their value.");
    }
}
