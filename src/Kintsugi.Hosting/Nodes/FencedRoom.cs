namespace Kintsugi.Hosting;

/// <summary>
/// An operating room whose door another node may have gone through while this one slept: before each step the number of the turn is looked at.
/// The advisory lock keeps two healers out of one patient; this keeps out the one whose lock its server has already given away.
/// </summary>
internal sealed class FencedRoom(IOperatingRoom room, PatientTurn turn) : IOperatingRoom
{
    public async ValueTask<IOperation> Enter(string database, CancellationToken cancellationToken)
    {
        turn.MustBeOurs();
        return new Fenced(await room.Enter(database, cancellationToken), turn);
    }

    private sealed class Fenced(IOperation operation, PatientTurn turn) : IOperation
    {
        public ValueTask<string?> Preflight(Plan plan, CancellationToken cancellationToken) => operation.Preflight(plan, cancellationToken);

        public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, CancellationToken cancellationToken)
        {
            turn.MustBeOurs();
            return operation.Remember(step, cancellationToken);
        }

        public ValueTask<StepResult> Run(Plan plan, Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
        {
            turn.MustBeOurs();
            return operation.Run(plan, step, remembered, cancellationToken);
        }

        public ValueTask<string?> CleanUp(Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
        {
            turn.MustBeOurs();
            return operation.CleanUp(step, remembered, cancellationToken);
        }

        public ValueTask DisposeAsync() => operation.DisposeAsync();
    }
}
