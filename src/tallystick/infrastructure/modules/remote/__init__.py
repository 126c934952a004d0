"""The software module in a process of its own, behind a Unix socket.

    caller's process                         module's process
    RemoteModule --- Link ---- socket ----> ModuleServer ---> SoftModule
      same interface   frames: length, MessagePack     the keys, and nothing but them

    words      the services by name, their arguments and answers, and the frames
    service    the server: who may connect, for which purposes, and the loop
    client     the caller's side, which looks like any other module
    link       one connection of a caller
    starting   starts the process, and hands it what opens key blocks
    process    what that process runs

The kernel says who connects; a door has its purposes, and a caller gets no others. A call that was
sent is never sent again: when the process is lost, its caller is told once.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; 8.2.3; ISO/IEC 19790
"""
