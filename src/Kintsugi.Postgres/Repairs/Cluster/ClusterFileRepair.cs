using System.Globalization;
using System.Security.Cryptography;
using Kintsugi.Postgres.Checks.Storage.Cluster;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating.Stopped;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>
/// Puts back files that a stopped cluster cannot start without, where what they held can be proven from the rest of it. A person approves, and the
/// whole is tried on a copy first.
/// </summary>
public sealed class ClusterFileRepair : IRepair
{
    public const string Name = "put-cluster-file";

    public string Id => Name;
    public string Does => "puts back a file that the cluster cannot start without, where the rest of the cluster tells what it held";
    public IReadOnlyList<FaultClass> Mends => [Faults.ClusterFileCorrupt, Faults.TransactionStatusMissing];
    public Grade Grade => Grade.Lossless;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (healing.Findings[0].Facts.GetValueOrDefault("path") is not { } path)
            return new Proposal.Refused($"{healing.Target.Name} is not a file of the whole cluster");
        if (patient.IsLive)
            return new Proposal.Refused($"a server is running on these files: nothing is put under it. Take a snapshot (kintsugi snapshots create), stop it, then kintsugi heal -D DIR");
        if (patient.Files?.Directory is not { } place)
            return new Proposal.Refused("its files cannot be reached from here: run kintsugi heal -D DIR on its machine");
        var directory = DataDirectory.Open(place);
        try
        {
            return await Tell(path, healing, directory, cancellationToken) switch
            {
                ClusterMend.Unknown it => new Proposal.Refused(it.Reason),
                var mend => Planned(healing, path, directory, mend),
            };
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return new Proposal.Refused($"the files of {place} could not be read: {problem.Message}");
        }
    }

    private static async ValueTask<ClusterMend> Tell(string path, HealingCase healing, DataDirectory directory, CancellationToken cancellationToken) =>
        Path.GetFileName(path) switch
        {
            "PG_VERSION" => LostVersion.Tell(directory),
            "pg_control" => await LostControlFile.Tell(directory, cancellationToken),
            "pg_filenode.map" => await new LostRelationMap(directory).Tell(path, cancellationToken),
            "postmaster.pid" => new ClusterMend.Removal("no server works here: the file keeps the next one from starting"),
            _ when Path.GetDirectoryName(path) == "pg_xact" => await new LostTransactionLog(directory, path).Tell(cancellationToken),
            _ when Path.GetDirectoryName(path) is "pg_multixact/offsets" or "pg_multixact/members" => await new LostMultiXact(directory, path).Tell(cancellationToken),
            _ when Path.GetDirectoryName(path) == "pg_tblspc" => await new LostTablespace(directory).Tell(path, cancellationToken),
            _ when DirectoriesExam.Needed.Contains(path) => LostDirectory.Tell(path, directory),
            _ => new ClusterMend.Unknown($"what {path} held cannot be told from the rest of the cluster. {healing.Findings[0].Hint}"),
        };

    private static Proposal.Planned Planned(HealingCase healing, string path, DataDirectory directory, ClusterMend mend)
    {
        var file = Path.Combine(directory.Path, path);
        var arguments = new Dictionary<string, string>
        {
            ["path"] = path,
            ["before"] = ClusterFileStep.SumOf(file),
        };
        var (words, why, warnings) = mend switch
        {
            ClusterMend.Content content => ($"write {path}, {content.Bytes.Length.ToString(CultureInfo.InvariantCulture)} bytes, sha256 "
                + $"{Convert.ToHexStringLower(SHA256.HashData(content.Bytes))}", content.Why, content.Warnings),
            ClusterMend.Folder folder => ($"mkdir -m 700 {path}", folder.Why, folder.Warnings),
            ClusterMend.Link link => ($"ln -s {link.Target} {path}", link.Why, link.Warnings),
            ClusterMend.Removal removal => ($"take {path} away", removal.Why, []),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        arguments["action"] = mend switch
        {
            ClusterMend.Content => ClusterFileStep.Write,
            ClusterMend.Folder => ClusterFileStep.Make,
            ClusterMend.Link => ClusterFileStep.Link,
            _ => ClusterFileStep.Remove,
        };
        if (mend is ClusterMend.Link { Target: var target })
            arguments["target"] = target;
        if (mend is ClusterMend.Content { Bytes: var bytes })
            arguments["content"] = Convert.ToBase64String(bytes);
        var step = new Step(ClusterFileStep.Name, words) { Lock = "none (the server is stopped)", Why = why, Arguments = arguments };
        return new Proposal.Planned(new Plan(Name, [step])
        {
            Case = healing.Id,
            Alters = [healing.Target],
            Snapshot = SnapshotGrade.Cluster,
            NeedsApproval = "a file of the whole cluster is put in place",
            Warnings = warnings,
        });
    }
}
