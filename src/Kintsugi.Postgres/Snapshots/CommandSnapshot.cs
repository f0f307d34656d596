using System.Globalization;

namespace Kintsugi.Postgres.Snapshots;

/// <summary>
/// A snapshot by the owner's command. What it took is known to the owner's storage alone: the manifest says so, and that nothing of it can be read again here.
/// </summary>
internal sealed class CommandSnapshot(ISnapshotShelf shelf, Patient patient, TimeProvider clock)
{
    public async ValueTask<string> Take(SnapshotManifest manifest, string command, CancellationToken cancellationToken)
    {
        var label = $"kintsugi-{clock.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}-{manifest.Case ?? "manual"}";
        var said = await OwnersCommand.Run("the snapshot could not be taken, so nothing is repaired", command, new Dictionary<string, string>
        {
            ["id"] = label,
            ["case"] = manifest.Case ?? "manual",
            ["directory"] = patient.Can.DataDirectory ?? patient.Files?.Directory ?? "",
            ["server"] = manifest.Server,
            ["port"] = patient.Can.Settings.GetValueOrDefault("port") ?? "",
        }, cancellationToken);
        await using var draft = await shelf.Begin(manifest with { Objects = [] }, 0, cancellationToken);
        await draft.Complete(whole => whole with
        {
            Notes =
            [
                .. whole.Notes, $"taken by the owner's command, which called it {label} and ended with 0: {command}",
                "nothing of it lies here: it is verified and restored by the means of that storage",
                .. said.Length > 0 ? [$"it said: {said}"] : Array.Empty<string>(),
            ],
        }, cancellationToken);
        return draft.Id;
    }
}
