"""What a follow-up pipeline does with LIGO's igwn-alert: listens, and stops; and what GraceDB does: publishes.

Takes the broker's host and port; prints what it came to as JSON.
"""

import json
import sys
import threading

from igwn_alert import client

HOST, PORT = sys.argv[1], int(sys.argv[2])
OPTIONS = {"group": "interop", "server": f"kafka://{HOST}:{PORT}/", "port": PORT}


def main():
    received = []
    arrived = threading.Semaphore(0)

    def process_alert(topic, payload):
        received.append([topic, json.loads(payload)])
        arrived.release()

    follower = client(**OPTIONS)
    topics = sorted(follower.get_topics())
    listening = threading.Thread(target=follower.listen, args=(process_alert, topics), daemon=True)
    listening.start()

    publisher = client(**OPTIONS)
    # Only what is sent after it has begun to listen arrives: send until the first one has.
    for _ in range(60):
        publisher.publish("superevent", msg=json.dumps({"uid": "S1"}))
        if arrived.acquire(timeout=0.5):
            break
    publisher.connect(topics)
    publisher.publish_to_topic("gstlal", json.dumps({"uid": "G1"}))
    publisher.flush_by_topic("gstlal")
    publisher.disconnect()
    while not any(topic == "gstlal" for topic, _ in received):
        if not arrived.acquire(timeout=30):
            break

    follower.stop()
    listening.join(10)
    print(json.dumps({"topics": topics, "received": received, "stopped": not listening.is_alive()}))


if __name__ == "__main__":
    main()
