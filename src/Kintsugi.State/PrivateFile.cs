namespace Kintsugi.State;

/// <summary>How our files are made: readable and writable by their owner alone, never over another file.</summary>
internal static class PrivateFile
{
    public const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static FileStreamOptions Create => new()
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.ReadWrite,
        UnixCreateMode = Mode,
        BufferSize = 0,
    };
}
