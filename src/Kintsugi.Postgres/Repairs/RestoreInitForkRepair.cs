using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs;

/// <summary>
/// What an unlogged table, its TOAST table or an unlogged sequence begins with after a crash: without it the server does not empty them then, and what is left
/// of their files counts as their content. The content of today is not touched. An index is rebuilt (<see cref="ReindexRepair"/>), for its init fork has pages.
/// </summary>
public sealed class RestoreInitForkRepair : IRepair
{
    public string Id => "restore-init-fork";
    public string Does => "puts back what an unlogged table begins with after a crash";
    public IReadOnlyList<FaultClass> Mends => [Faults.FileMissing];
    public Grade Grade => Grade.Lossless;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (healing.Findings.Any(finding => finding.Target.Fork != Forks.Init))
            return new Proposal.Refused("more than an init fork is missing");
        var steps = new List<Step>();
        foreach (var target in healing.Findings.Select(finding => finding.Target).DistinctBy(target => target.Name))
        {
            if (patient.Relations.Find(target.ObjectSchema, target.Object) is not { Persistence: 'u', Path: { } path } relation
                || !(relation.Kind == 'S' || (relation.HasHeap && relation.AccessMethod is "heap")))
                return new Proposal.Refused($"{target.Name}: its init fork is made with it alone");
            if (relation.Kind != 'S' && (!patient.Can.Superuser || patient.Can.InRecovery))
                return new Proposal.Refused("to make a file a superuser of the primary is needed");
            steps.Add(relation.Kind == 'S' ? await SequenceFile.Anew(relation, healing, patient, cancellationToken) : Empty(relation, path, healing, patient));
        }
        return new Proposal.Planned(new Plan(Id, steps)
        {
            Case = healing.Id,
            Alters = [.. healing.Findings.Select(finding => finding.Target).Distinct()],
            Snapshot = SnapshotGrade.None,
            Warnings =
            [
                "Had the server crashed while the file was gone, it did not empty the relation then: kintsugi check says whether what it holds is whole.",
            ],
        });
    }

    private static Step Empty(Relation relation, string path, HealingCase healing, Patient patient) =>
        new(RestoreInitForkStep.Name, $"{path}_init: an empty file")
        {
            Database = healing.Database,
            Lock = "ShareUpdateExclusive",
            Why = "after a crash the server empties the table by it; its rows stay, and readers and writers go on",
            Arguments = new Dictionary<string, string>
            {
                ["relation"] = Quote.Name(relation),
                ["table"] = Quote.Name(relation.IsToast ? patient.Relations.Find(relation.TableOid)! : relation),
                ["path"] = path,
            },
        };
}
