namespace Kintsugi.Postgres.Files.Reading;

/// <summary>The best way to a patient's bytes.</summary>
internal static class ByteSource
{
    /// <returns>Null when neither this machine nor the server lets this role read them.</returns>
    public static async ValueTask<IByteSource?> Of(Patient patient, CancellationToken cancellationToken)
    {
        if (patient.Files?.Directory is { } directory)
            return new LocalBytes(directory, patient.Pace);
        return patient.Sql is { } session && await ServerBytes.MayRead(session, cancellationToken)
            ? new ServerBytes(session, patient.Pace) : null;
    }
}
