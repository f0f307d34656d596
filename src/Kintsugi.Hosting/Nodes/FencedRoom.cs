namespace Kintsugi.Hosting;

/// <summary>
/// An operating room whose door another node may have gone through while this one slept: before each step the number of the turn is looked at.
/// The advisory lock keeps two healers out of one patient; this keeps out the one whose lock its server has already given away.
/// </summary>
internal sealed class FencedRoom(IOperatingRoom room, PatientTurn turn) : IOperatingRoom
{
    public async ValueTask<IOperation> Enter(string database, CancellationToken cancellationToken)
    {
        MustBeOurs();
        return new Fenced(await room.Enter(database, cancellationToken), this);
    }

    private void MustBeOurs()
    {
        if (!turn.IsOurs)
            throw new HealingException("another node has taken over this patient: this one was silent for longer than its lease", mayPass: true);
    }

    private sealed class Fenced(IOperation operation, FencedRoom room) : IOperation
    {
        public ValueTask<string?> Preflight(Plan plan, CancellationToken cancellationToken) => operation.Preflight(plan, cancellationToken);

        public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, CancellationToken cancellationToken)
        {
            room.MustBeOurs();
            return operation.Remember(step, cancellationToken);
        }

        public ValueTask<StepResult> Run(Plan plan, Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
        {
            room.MustBeOurs();
            return operation.Run(plan, step, remembered, cancellationToken);
        }

        public ValueTask<string?> CleanUp(Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
        {
            room.MustBeOurs();
            return operation.CleanUp(step, remembered, cancellationToken);
        }

        public ValueTask DisposeAsync() => operation.DisposeAsync();
    }
}
