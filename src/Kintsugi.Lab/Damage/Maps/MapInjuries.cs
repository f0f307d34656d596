using Kintsugi.Pages;

namespace Kintsugi.Lab.Damage;

/// <summary>The visibility map says that every page is visible to all, though deleted rows lie there.</summary>
public sealed class VisibilityMapLies() : FileInjury(
    "vm-lies", "A crash or a bug (such as the one of 9.6) left bits set: index-only scans return deleted rows.",
    Faults.VisibilityMapCorrupt, new InjuryTarget("public", "ratings_even"),
    """
    SET enable_seqscan = off; SET enable_bitmapscan = off;
    SELECT (SELECT count(*) FROM ratings_even WHERE user_id > 0) > (SELECT count(*) FROM ratings_even WHERE stars >= 0)
    """)
{
    private protected override async Task<(RelationFile File, Action<RelationFile> Damage)> Aim(
        InjuryRoom room, CancellationToken cancellationToken)
    {
        var blocks = (await room.FileOf(Target.Relation, cancellationToken)).Blocks;
        // Two bits for each block of the table, all-visible being the lower one (visibilitymap.h).
        return (await room.FileOf(Target.Relation, cancellationToken, "_vm"), map => map.Edit(0, page =>
        {
            for (var block = 0; block < blocks; block++)
                page[PageFormat.HeaderSize + block / 4] |= (byte)(1 << (block % 4 * 2));
        }));
    }
}

/// <summary>A map fork full of noise, with a checksum that does not fit.</summary>
public abstract class MapGarbage(string name, string accident, FaultClass fault, string table, string fork) : FileInjury(
    name, accident, fault, new InjuryTarget("public", table), $"SELECT pg_relation_size('{table}', '{fork}') > 0")
{
    private protected override async Task<(RelationFile File, Action<RelationFile> Damage)> Aim(
        InjuryRoom room, CancellationToken cancellationToken) =>
        (await room.FileOf(Target.Relation, cancellationToken, "_" + fork), map => map.Rot(0, page =>
        {
            for (var i = PageFormat.HeaderSize; i < 2000; i++)
                page[i] = (byte)(i * 31 + i / 7);
        }));
}

/// <summary>Noise in the visibility map.</summary>
public sealed class VisibilityMapGarbage() : MapGarbage(
    "vm-garbage", "The disk returned another sector's content for the map.", Faults.VisibilityMapCorrupt, "watch_history_2025h2",
        "vm");

/// <summary>Noise in the free space map.</summary>
public sealed class FreeSpaceMapGarbage() : MapGarbage(
    "fsm-garbage", "The disk returned another sector's content for the map.", Faults.FreeSpaceMapCorrupt, "external_metadata",
        "fsm");
