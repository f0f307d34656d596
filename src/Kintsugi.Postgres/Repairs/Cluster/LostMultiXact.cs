using System.Buffers.Binary;
using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>
/// A segment of pg_multixact, lost or cut short, where no row asks for what it held: once a server has stopped, a multixact that only locks counts for nobody, and
/// one whose row says that its xmax is invalid neither. Where an update or a deletion stood in it alone, a person decides.
/// </summary>
internal sealed class LostMultiXact(DataDirectory directory, string path)
{
    private const string Offsets = "pg_multixact/offsets", Members = "pg_multixact/members";
    private const int MostTold = 12;
    private const uint MostMembers = 1 << 20;

    private sealed record Asked(string File, long Block)
    {
        public long Rows { get; set; }
    }

    private readonly TransactionLog log = new(directory.Path, directory.Control);
    private readonly SortedDictionary<uint, Asked> asked = [];

    public async ValueTask<ClusterMend> Tell(CancellationToken cancellationToken)
    {
        if (!uint.TryParse(Path.GetFileName(path), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var segment))
            return Unknown("it is no segment of pg_multixact");
        if (!directory.IsShutDown || directory.Control is not { } control)
            return Unknown("the cluster was not stopped cleanly (or its control file cannot be trusted): rows may name more multixacts in the WAL");
        if (directory.Files.List("pg_twophase").Any(name => !name.EndsWith('/')))
            return Unknown("transactions are prepared (PREPARE TRANSACTION), and their locks still count");
        var walk = new HeapWalk(directory);
        await walk.Run((trace, file, block) =>
        {
            if (trace.IsMulti)
                (asked.TryGetValue(trace.Xid, out var known) ? known : asked[trace.Xid] = new Asked(file, block)).Rows++;
        }, cancellationToken);
        if (walk.Unread.Count > 0)
            return Unknown($"{walk.Unread.Count} pages or files cannot be read, and may name more multixacts: {string.Join("; ", walk.Unread.Take(3))}. Heal these first");
        var file = Path.Combine(directory.Path, path);
        var existing = File.Exists(file) ? await File.ReadAllBytesAsync(file, cancellationToken) : [];
        return Path.GetDirectoryName(path) == Offsets ? WriteOffsets(segment, control, existing) : WriteMembers(segment, control, existing);
    }

    /// <summary>
    /// Each lost multixact begins where the next known one does, and so has no members: where members are removed the server goes by these numbers, and
    /// zeros would make it remove what is still wanted.
    /// </summary>
    private ClusterMend WriteOffsets(uint segment, ControlFile control, byte[] existing)
    {
        var perSegment = (uint)LogPlace.SegmentSize / 4;
        var last = MultiXactLog.PlaceOfOffset(control.NextMulti);
        var bytes = new byte[Math.Max(existing.Length, last.Segment == segment ? (last.Offset / PageFormat.Size + 1) * PageFormat.Size : LogPlace.SegmentSize)];
        existing.CopyTo(bytes, 0);
        var first = Math.Max(segment * perSegment, 1);
        if (Following((segment * perSegment) + perSegment, segment, control) is not { } next)
            return Unknown("the segments behind it are missing as well: where the members of its last multixact end is not known");
        var lost = new HashSet<uint>();
        for (var multi = (segment * perSegment) + perSegment - 1; multi >= first; multi--)
        {
            if (!TransactionIds.MultiPrecedes(multi, control.NextMulti) && multi != control.NextMulti || TransactionIds.MultiPrecedes(multi, control.OldestMulti))
                continue;
            var entry = bytes.AsSpan(MultiXactLog.PlaceOfOffset(multi).Offset, 4);
            if (BinaryPrimitives.ReadUInt32LittleEndian(entry) is not 0 and var known)
                next = known;
            else if (multi == control.NextMulti)
                next = control.NextMultiOffset;
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(entry, next);
                lost.Add(multi);
            }
        }
        // The one before a lost one ends where that began.
        return Answer(bytes, [.. asked.Keys.Where(multi => lost.Contains(multi) || lost.Contains(multi == uint.MaxValue ? 1 : multi + 1))],
            $"{lost.Count} multixacts stood in what is lost");
    }

    /// <summary>The first member that is known to belong to a multixact from that one on.</summary>
    private uint? Following(uint multi, uint segment, ControlFile control)
    {
        if (MultiXactLog.PlaceOfOffset(control.NextMulti).Segment == segment || multi == control.NextMulti)
            return control.NextMultiOffset;
        return log.MembersOf(multi == 0 ? 1 : multi)?.First;
    }

    private ClusterMend WriteMembers(uint segment, ControlFile control, byte[] existing)
    {
        var last = MultiXactLog.PlaceOfMember(control.NextMultiOffset);
        var bytes = new byte[Math.Max(existing.Length, last.Segment == segment ? (last.Offset / PageFormat.Size + 1) * PageFormat.Size : LogPlace.SegmentSize)];
        existing.CopyTo(bytes, 0);
        var wanting = new List<uint>();
        foreach (var multi in asked.Keys)
        {
            if (log.MembersOf(multi) is not { } range)
                return Unknown($"where the members of multixact {multi} stand is not known: pg_multixact/offsets comes first");
            if (range.End - range.First > MostMembers)
                return Unknown($"multixact {multi} has {range.End - range.First} members by pg_multixact/offsets, which is not possible");
            for (var member = range.First; member != range.End; member++)
                if (MultiXactLog.PlaceOfMember(member) is var place && place.Segment == segment && place.Offset + 4 > existing.Length)
                {
                    wanting.Add(multi);
                    break;
                }
        }
        return Answer(bytes, wanting, "members of locks stood in what is lost");
    }

    private ClusterMend Answer(byte[] bytes, List<uint> wanting, string lost) => wanting.Count > 0
        ? Unknown($"{wanting.Count} multixacts that updated or deleted rows stood in it: "
            + $"{string.Join("; ", wanting.Take(MostTold).Select(multi => Choice(multi, asked[multi])))}{(wanting.Count > MostTold ? " …" : "")}")
        : new ClusterMend.Content(bytes, $"no row of the cluster asks for it: {lost}, and every row that names one of them says that it only locked, or that it is void; "
            + "no lock outlives a clean stop")
        {
            Warnings = ["pg_get_multixact_members() tells no members of these multixacts any more"],
        };

    private static string Choice(uint multi, Asked rows) => $"{multi.ToString(CultureInfo.InvariantCulture)} ({rows.Rows} row versions, the first in block {rows.Block} of {rows.File}: "
        + "taken as locks alone, these versions "
        + "are alive again beside the ones that replaced them, or back from their deletion; taken as updated, they are gone)";

    private ClusterMend.Unknown Unknown(string why) => new($"{path} cannot be told from what is left: {why}. By hand: put the segment back from a backup or a standby of this cluster "
        + $"(cp -p BACKUP/{path} {Path.Combine(directory.Path, path)}): it loses nothing where the backup is younger than its multixacts, which never change. Without one: the rows that are named "
        + "can be read by kintsugi page DIR/FILE --block N; on a copy, a segment of zeros lets the server start, and each of these rows has to be looked at there before anything is written");
}
