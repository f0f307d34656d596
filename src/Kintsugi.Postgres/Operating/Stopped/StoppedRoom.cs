using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Snapshots;

namespace Kintsugi.Postgres.Operating.Stopped;

/// <summary>
/// Lets one healer at a time at the files of a stopped cluster: a lock file beside the data directory, which the kernel frees with the
/// process that holds it. A server that was started meanwhile ends it.
/// </summary>
public sealed class StoppedRoom(string directory) : IOperatingRoom
{
    public ValueTask<IOperation> Enter(string database, CancellationToken cancellationToken)
    {
        var file = directory.TrimEnd('/') + ".kintsugi-lock";
        try
        {
            var held = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return ValueTask.FromResult<IOperation>(new Stay(directory, held));
        }
        catch (IOException) when (File.Exists(file))
        {
            throw new HealingException($"another healer is at work on {directory} ({file} is locked); run again when it has ended", mayPass: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new HealingException($"the lock file {file} cannot be made: {problem.Message} Run as the owner of the data directory or as root", mayPass: false, problem);
        }
    }

    private sealed class Stay(string directory, FileStream held) : IOperation
    {
        public ValueTask<string?> Preflight(Plan plan, CancellationToken cancellationToken) => ValueTask.FromResult(
            DataDirectory.Open(directory).ServerPid is { } pid
                ? $"a server (process {pid}) was started on {directory} meanwhile: nothing is put under it"
                : ServerKeeper.AtWork(directory, "/proc") is { } keeper
                    ? $"{keeper} looks after {directory}: it may start a server on these files at any moment, or take them from another node. Pause it (patronictl pause) or stop it "
                        + "first; heal -D DIR --beside NEW puts the files into a copy instead"
                    : null);

        public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, CancellationToken cancellationToken) =>
            ValueTask.FromResult(ClusterFileStep.Remember(Known(step), directory));

        public async ValueTask<StepResult> Run(
            Plan plan, Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken) =>
            await Preflight(plan, cancellationToken) is { } running ? throw new HealingException(running, mayPass: false)
                : new StepResult(await ClusterFileStep.Run(Known(step), directory, cancellationToken));

        public ValueTask<string?> CleanUp(Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken) =>
            ValueTask.FromResult(ClusterFileStep.CleanUp(Known(step), directory));

        public ValueTask DisposeAsync()
        {
            // Not deleted: another healer may wait at it, and two files of one name would be two locks.
            held.Dispose();
            return ValueTask.CompletedTask;
        }

        private static Step Known(Step step) => step.Kind == ClusterFileStep.Name ? step
            : throw new HealingException($"a step of kind {step.Kind} needs a running server; start it, then heal through it", mayPass: false);
    }
}
