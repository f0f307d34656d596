namespace Kintsugi.Postgres.Sessions;

/// <summary>The codes of PostgreSQL's appendix A (src/backend/utils/errcodes.txt) that decide something here.</summary>
public static class SqlStates
{
    public const string DataCorrupted = "XX001";
    public const string IndexCorrupted = "XX002";
    public const string InternalError = "XX000";
    public const string InsufficientPrivilege = "42501";
    public const string UndefinedTable = "42P01";
    public const string UndefinedObject = "42704";
    public const string UndefinedFunction = "42883";
    public const string UndefinedFile = "58P01";
    public const string IoError = "58030";
    public const string LockNotAvailable = "55P03";
    public const string QueryCanceled = "57014";
    public const string SerializationFailure = "40001";
    public const string DeadlockDetected = "40P01";
    public const string UniqueViolation = "23505";
    public const string ExclusionViolation = "23P01";
    public const string FeatureNotSupported = "0A000";
    public const string WrongObjectType = "42809";
    public const string AdminShutdown = "57P01";
    public const string CrashShutdown = "57P02";
    public const string CannotConnectNow = "57P03";

    /// <summary>The object went away while we looked: that is no fault.</summary>
    public static bool IsGone(string? code) => code is UndefinedTable or UndefinedObject;

    /// <summary>Another try may succeed: anything else is not worth repeating.</summary>
    public static bool MayPass(string? code) => code is LockNotAvailable or SerializationFailure or DeadlockDetected or QueryCanceled or null
        || code.StartsWith("08", StringComparison.Ordinal) || code.StartsWith("57P", StringComparison.Ordinal)
        || code.StartsWith("53", StringComparison.Ordinal);

    public static bool IsConnectionLost(string? code) =>
        code is not null && (code.StartsWith("08", StringComparison.Ordinal) || code is AdminShutdown or CrashShutdown or CannotConnectNow);

    /// <summary>
    /// Messages of code XX000 that mean damage all the same, in the server's own English (lc_messages is set to C in our sessions):
    /// bufpage.c, md.c, heaptuple.c, detoast.c, nbtree, relcache.c, syscache users.
    /// </summary>
    private static readonly string[] DamageWords =
    [
        "invalid page in block", "could not read block", "missing chunk number", "unexpected chunk number", "unexpected chunk size",
        "could not open relation with OID", "invalid memory alloc request size", "cache lookup failed", "could not find pg_class entry",
        "catalog is missing", "compressed data is corrupt", "compressed pglz data is corrupt", "compressed lz4 data is corrupt",
        "right sibling's left-link doesn't match", "invalid attribute number", "unexpected data beyond EOF", "could not access status of transaction",
        "invalid tuple length", "invalid internal value for enum", "is not a heap", "invalid varlena",
        "has not been created yet -- apparent wraparound", "does no longer exist -- apparent wraparound",
    ];

    /// <summary>Whether words of the server, in its own English, speak of damage.</summary>
    public static bool SpeaksOfDamage(string text) =>
        Array.Exists(DamageWords, words => text.Contains(words, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether the error accuses the data that was read, by code first; XX000 counts only with a listed message.</summary>
    public static bool MeansDamage(PatientException problem) => problem.SqlState switch
    {
        DataCorrupted or IndexCorrupted => true,
        InternalError or UndefinedFile or "22P03" or "54000" =>
            Array.Exists(DamageWords, words => problem.Message.Contains(words, StringComparison.OrdinalIgnoreCase)),
        _ => false,
    };
}
