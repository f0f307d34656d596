using Kintsugi.Server;

NativeMemory.KeepFewHeaps();
return await Daemon.Run(args, CancellationToken.None);
