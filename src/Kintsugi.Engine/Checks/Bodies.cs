using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Kintsugi;

/// <summary>
/// What the files of each relation of one database look like in this scrub: a sum over number, LSN and checksum of every page of the main fork. Where it
/// is the same as under an earlier proof, no page was changed, lost, brought back from before or emptied since.
/// </summary>
public sealed class Bodies
{
    /// <summary>Operator classes and functions decide what an index should hold: they are part of every body.</summary>
    private static readonly string[] Meaning = ["pg_proc", "pg_opclass", "pg_amproc", "pg_amop", "pg_operator", "pg_collation"];

    private readonly ConcurrentDictionary<(uint Oid, long First), (long Blocks, ulong Sum, string Path)> pieces = new();

    private readonly ConcurrentDictionary<uint, string> families = new();
    private IReadOnlyList<Relation>? meaning;

    /// <summary>When the checkpoint began that was the newest before the files were read: all that was changed earlier is in them.</summary>
    public DateTimeOffset? CheckpointAt { get; set; }

    public void Report(Portion piece, string path, ulong sum) =>
        pieces[(piece.Relation!.Oid, piece.FirstBlock)] = (piece.Blocks, sum, path);

    /// <summary>Adds one page to a sum, in any order.</summary>
    public static ulong Add(ulong sum, long block, ulong lsn, ushort checksum)
    {
        // The finalizer of SplitMix64: every bit of the three decides every bit of what is added.
        var mixed = lsn + ((ulong)block * 0x9E3779B97F4A7C15) + ((ulong)checksum << 47) + 1;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return sum + (mixed ^ (mixed >> 31));
    }

    /// <summary>
    /// Everything that the answer of a check over that table's own pages follows from, as one word; null where something of it was not read in full, or
    /// can change without a trace in the files.
    /// </summary>
    public string? Of(Portion piece, ICheck check, Patient patient)
    {
        if (piece.Relation is not { IsShared: false } relation || !check.RestsOnPages || patient.Can is not { DataChecksums: true, InRecovery: false }
            || patient.Inventory is not { } inventory)
            return null;
        if (check.Layer > Layer.Heap && inventory.FamilyOf(relation.TableOid).Any(member => MayTurn(member, relation)))
            return null;
        return families.TryGetValue(relation.TableOid, out var known) ? $"{known} {relation.Oid}"
            : OfFamily(relation.TableOid, inventory, patient.Can) is { } family ? $"{families.GetOrAdd(relation.TableOid, family)} {relation.Oid}"
            : null;
    }

    private string? OfFamily(uint table, Inventory inventory, Capabilities can)
    {
        meaning ??= [.. inventory.Relations.Where(relation => relation.Schema == "pg_catalog" && Meaning.Contains(relation.Name))];
        var text = new StringBuilder($"1 {can.SystemIdentifier} {can.Timeline} {can.VersionNumber}");
        foreach (var member in inventory.FamilyOf(table).Where(member => member.HasStorage && member.Kind != 'S').Concat(meaning).OrderBy(member => member.Oid))
        {
            if (member.Persistence != 'p' || SumOf(member.Oid) is not var (path, sum))
                return null;
            text.Append('\n').Append(member.Oid).Append(' ').Append(path).Append(' ').Append(sum).Append(' ').Append(member.Index?.Signature);
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 16));
    }

    /// <summary>Whether what an index should hold can change although no page does: a library's collation, a function, an expression.</summary>
    private static bool MayTurn(Relation member, Relation examined) =>
        member.Index is { } facts && (member.Oid == examined.Oid || examined.Index is null)
        && (facts.HasExpressions || facts.HasPredicate || facts.HasCollation);

    private (string Path, ulong Sum)? SumOf(uint oid)
    {
        var sum = 0UL;
        for (var first = 0L; pieces.TryGetValue((oid, first), out var piece); first += piece.Blocks)
        {
            sum += piece.Sum;
            if (piece.Blocks == long.MaxValue)
                return (piece.Path, sum);
        }
        return null;
    }
}
