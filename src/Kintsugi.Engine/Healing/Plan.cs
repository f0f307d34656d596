using System.Security.Cryptography;
using System.Text;

namespace Kintsugi;

/// <summary>What a snapshot must be able to put back, from the least to the greatest.</summary>
public enum SnapshotGrade
{
    /// <summary>Nothing that exists is altered beyond what the step itself keeps aside (an invalid index is dropped).</summary>
    None,

    /// <summary>Before-images of rows, written to quarantine in the repair's own transaction.</summary>
    Rows,

    /// <summary>All forks of the relations' files.</summary>
    Relation,

    /// <summary>The whole cluster.</summary>
    Cluster,
}

/// <summary>All that a repair will do, settled before any of it is done: shown, judged, recorded, and then run exactly as is.</summary>
/// <param name="Repair">Id of the repair that made it.</param>
public sealed record Plan(string Repair, IReadOnlyList<Step> Steps)
{
    /// <summary>The case it belongs to.</summary>
    public required string Case { get; init; }

    /// <summary>Everything whose contents may change: what the snapshot has to cover.</summary>
    public required IReadOnlyList<Target> Alters { get; init; }
    public required SnapshotGrade Snapshot { get; init; }

    /// <summary>Rows that leave their table for quarantine, change, or end.</summary>
    public long RowsQuarantined { get; init; }
    public long RowsChanged { get; init; }
    public long RowsLost { get; init; }

    /// <summary>Rows of the table that they are taken from, as far as is known: what the repair budget is measured against.</summary>
    public double TableRows { get; init; }

    /// <summary>Bytes that the work needs free on the server's disk.</summary>
    public long DiskBytes { get; init; }

    /// <summary>A heavy lock is held for long: only inside a maintenance window, when windows are set.</summary>
    public bool NeedsWindow { get; init; }

    /// <summary>Why a person approves, whatever the grade: system catalogs written by hand and the like.</summary>
    public string? NeedsApproval { get; init; }

    /// <summary>The owner's own rule names this repair, which is consent to its grade.</summary>
    public bool ChosenByOwner { get; init; }

    /// <summary>What a person should know before saying yes: cascades, triggers, what is lost.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>A plan's grade is its harshest step's.</summary>
    public Grade Grade => Steps.Max(step => step.Grade);

    /// <summary>SHA-256 over repair, case and steps: what an approval is tied to.</summary>
    public string Hash
    {
        get
        {
            // Piece by piece: a plan that names a hundred thousand rows is twenty megabytes of text.
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            Add(Repair, "\n", Case);
            foreach (var step in Steps)
            {
                Add("\n", step.Kind, "\u001f", step.Database, "\u001f", step.Do);
                foreach (var (name, value) in step.Arguments.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                    Add("\u001f", name, "=", value);
            }
            return Convert.ToHexStringLower(hash.GetHashAndReset());

            void Add(params ReadOnlySpan<string?> pieces)
            {
                foreach (var piece in pieces)
                    hash.AppendData(Encoding.UTF8.GetBytes(piece ?? ""));
            }
        }
    }
}

/// <summary>One thing that is done, as data: limits, interlocks, resumption and the record are written once, in its runner.</summary>
/// <param name="Kind">Which step runner does it: sql, rebuild-index, row-batch …</param>
/// <param name="Do">The statement or the action, exactly as it will be run, for people.</param>
public sealed record Step(string Kind, string Do)
{
    public string? Database { get; init; }
    public IReadOnlyDictionary<string, string> Arguments { get; init; } = new Dictionary<string, string>();

    /// <summary>The strongest lock on a user's table, in pg_locks' words without "Lock": ShareUpdateExclusive.</summary>
    public required string Lock { get; init; }
    public required string Why { get; init; }
    public Grade Grade { get; init; } = Grade.Lossless;

    public string this[string argument] => Arguments.TryGetValue(argument, out var value)
        ? value
        : throw new InvalidOperationException($"step {Kind} lacks its argument {argument}");
}
