using System.Globalization;
using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Pages.Wal;
using Npgsql;

namespace Kintsugi.Cli.Tests.Detection;

/// <summary>
/// A cluster in the state in which a crash between two WAL records leaves it: recovered to the first record of a kind and then promoted. That is
/// how half-dead pages and unfinished page splits come to be in real life.
/// </summary>
internal static class CutOffAt
{
    private const byte BTree = 11;

    /// <summary>nbtxlog.h: a leaf page left its parent; its neighbours still know it.</summary>
    public const byte MarkedHalfDead = 0xB0;

    /// <summary>A page was split to the left; the parent does not know the new one yet.</summary>
    public const byte Split = 0x40;

    /// <param name="before">A stopped copy from before the work; it is recovered and started.</param>
    /// <param name="after">The stopped cluster in which the work was done; its WAL is kept.</param>
    public static async Task Recover(ThrowawayCluster before, ThrowawayCluster after, byte kind, CancellationToken cancellationToken)
    {
        var lsn = FirstRecord(before.DataDirectory, Path.Combine(after.DataDirectory, "pg_wal"), kind);
        await File.AppendAllTextAsync(Path.Combine(before.DataDirectory, "postgresql.auto.conf"),
            $"restore_command = 'cp \"{after.DataDirectory}/pg_wal/%f\" \"%p\"'\nrecovery_target_lsn = '{lsn >> 32:X}/{(uint)lsn:X}'\n"
            + "recovery_target_action = 'promote'\n", cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(before.DataDirectory, "recovery.signal"), "", cancellationToken);
        await before.Start(cancellationToken);
        while (await before.Scalar<bool>("postgres", "SELECT pg_is_in_recovery()", cancellationToken))
            try
            {
                await before.Execute("postgres", "SELECT pg_promote()", cancellationToken);
            }
            catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.ObjectNotInPrerequisiteState)
            {
                // It came out of recovery by itself between the two questions.
            }
    }

    private static ulong FirstRecord(string base_, string wal, byte kind)
    {
        var control = ControlFile.Read(File.ReadAllBytes(Path.Combine(base_, "global/pg_control")), new List<Flaw>())!;
        var reader = new WalReader(new Segments(wal, control), control.Redo);
        while (reader.Next() is { } record)
            if (record.ResourceManager == BTree && (record.Info & 0xF0) == kind)
                return record.Lsn;
        throw new InvalidOperationException($"no such record in {wal}: reading ended at {reader.Position:X} with {reader.End}");
    }

    private sealed class Segments(string directory, ControlFile control) : IWalSource
    {
        public int SegmentSize => (int)control.WalSegmentSize;

        public bool TryRead(ulong address, Span<byte> page)
        {
            var number = address / control.WalSegmentSize;
            var perFile = 0x100000000ul / control.WalSegmentSize;
            var file = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{control.Timeline:X8}{number / perFile:X8}{number % perFile:X8}"));
            if (!File.Exists(file))
                return false;
            using var stream = File.OpenRead(file);
            stream.Seek((long)(address % control.WalSegmentSize), SeekOrigin.Begin);
            return stream.ReadAtLeast(page, page.Length, throwOnEndOfStream: false) == page.Length;
        }
    }
}
