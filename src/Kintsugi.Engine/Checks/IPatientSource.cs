namespace Kintsugi;

/// <summary>Opens patients: the one way in which the engine gets at a server or its files.</summary>
public interface IPatientSource
{
    /// <summary>Facts of the server, from a database that could be entered (or from the control file).</summary>
    Capabilities Server { get; }

    /// <summary>Databases that this run was asked to look at and that accept connections.</summary>
    IReadOnlyList<string> Databases { get; }

    /// <summary>Databases that were asked for and cannot be entered, with the reason.</summary>
    IReadOnlyDictionary<string, string> Closed { get; }

    /// <summary>A patient of its own (its own session) in that database; the inventory is loaded once per database and shared.</summary>
    /// <param name="database">Null for the server as a whole: any database that could be entered, or files alone.</param>
    ValueTask<Patient> Open(string? database, CancellationToken cancellationToken);

    /// <summary>The same without an inventory, where that takes less.</summary>
    ValueTask<Patient> OpenBare(string? database, CancellationToken cancellationToken) => Open(database, cancellationToken);

    /// <summary>Reads the catalog of that database again, because a repair has changed it.</summary>
    void Forget(string database);

    /// <summary>Whether the server has crashed and restarted since this source was opened or last asked.</summary>
    ValueTask<bool> CrashedSince(CancellationToken cancellationToken);
}
