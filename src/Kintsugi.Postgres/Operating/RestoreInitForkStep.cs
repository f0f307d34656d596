using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// Puts back the init fork of an unlogged table: a heap begins from an empty file in every version (heapam_relation_set_new_filelocator), so that its name is
/// all that it holds. Never touches a file that is there.
/// </summary>
internal sealed class RestoreInitForkStep : IStepRunner
{
    public const string Name = "restore-init-fork";
    public string Kind => Name;

    public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());

    public async ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken)
    {
        var (step, session) = (context.Step, context.Session);
        // Another path than letters, digits and these would not be the server's own; it goes through a shell.
        var path = step["path"];
        if (path.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('/' or '_' or '.')))
            throw new HealingException($"{path}: not a path that can be written through the server", mayPass: false);
        await session.Execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE", cancellationToken);
        try
        {
            // Readers and writers pass; TRUNCATE, VACUUM FULL, SET LOGGED and DROP, which give the table other files, do not.
            await session.Execute($"LOCK TABLE ONLY {step["table"]} IN SHARE UPDATE EXCLUSIVE MODE", cancellationToken);
            var lies = await session.Value<string>("SELECT c.relpersistence::pg_catalog.text || pg_catalog.pg_relation_filepath(c.oid) FROM pg_catalog.pg_class c "
                + "WHERE c.oid = $1::pg_catalog.regclass", cancellationToken, step["relation"]);
            if (lies != 'u' + path)
                throw new HealingException($"{step["relation"]} is not the unlogged table in {path} any more: it was rewritten since the plan was made", mayPass: true);
            if (await Bytes(session, path, cancellationToken) is not null)
                return new StepResult("it is there by now");
            var program = $"cat >/dev/null; dd if=/dev/null of={path}_init conv=excl,fsync status=none && sync {path[..path.LastIndexOf('/')]}";
            await session.Execute($"COPY (SELECT) TO PROGRAM {Quote.Literal(program)}", cancellationToken);
            return await Bytes(session, path, cancellationToken) is 0 ? new StepResult($"{path}_init is there again, empty as it was")
                : throw new HealingException($"{path}_init was written by somebody else at the same moment: check again", mayPass: true);
        }
        finally
        {
            if (session.IsOpen)
                await session.Execute("ROLLBACK", CancellationToken.None);
        }
    }

    /// <summary>The file has no content that could be half there.</summary>
    public ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<string?>(null);

    private static async ValueTask<long?> Bytes(WriteSession session, string path, CancellationToken cancellationToken) =>
        await session.Value<long?>("SELECT (pg_catalog.pg_stat_file($1, true)).size", cancellationToken, $"{path}_init");
}
