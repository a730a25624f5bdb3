# frozen_string_literal: true

RSpec.describe ChatChannel, type: :channel do
  let(:user) { create(:user, name: "Ada") }
  let(:room) { create(:chat_room, members: [ user ]) }
  let(:broadcasting) { "chat_room_#{room.id}" }

  before { stub_connection current_user: user, current_account: user.account, connection_id: "one" }

  describe "#subscribed" do
    it "streams the room to a member" do
      subscribe room_id: room.id

      expect(subscription).to be_confirmed
      expect(subscription).to have_stream_from(broadcasting)
    end

    it "tells the room who joined and who is online" do
      expect { subscribe room_id: room.id }.to have_broadcasted_to(broadcasting)
        .with(hash_including(type: "presence", action: "join", user_id: user.id, online_users: [ hash_including(name: "Ada") ]))
    end

    it "rejects a stranger, who leaves no trace" do
      other_room = create(:chat_room)

      expect { subscribe room_id: other_room.id }.not_to have_broadcasted_to("chat_room_#{other_room.id}")
      expect(subscription).to be_rejected
      expect(RoomPresence.new(other_room).online_users).to be_empty
    end

    [ "invalid", nil, 0 ].each do |room_id|
      it "rejects room #{room_id.inspect}" do
        subscribe room_id: room_id
        expect(subscription).to be_rejected
      end
    end
  end

  describe "#send_message" do
    before { subscribe room_id: room.id }

    it "saves the message and broadcasts it" do
      expect { perform :send_message, content: "  Hello, world! ", type: "text" }
        .to change(Message, :count).by(1)
        .and have_broadcasted_to(broadcasting).with(hash_including(type: "message", content: "Hello, world!", user_name: "Ada"))
    end

    it "takes text for the type that is not given" do
      perform :send_message, content: "Hello"
      expect(room.messages.last.message_type).to eq("text")
    end

    it "answers an empty message with an error" do
      expect { perform :send_message, content: "   " }.not_to change(Message, :count)
      expect(transmissions.last).to eq("type" => "error", "error" => "content is required")
    end

    it "says everything that is wrong at once" do
      perform :send_message, content: "x" * 10_001, type: "hologram"
      expect(transmissions.last["error"]).to eq("content is longer than 10000; type must be one of: text, image, file")
    end

    it "answers content that is no string with an error" do
      perform :send_message, content: { "$gt" => "" }
      expect(transmissions.last["error"]).to eq("content must be String")
    end

    it "stops at thirty messages a minute" do
      30.times { |number| perform :send_message, content: "Message #{number}" }

      expect { perform :send_message, content: "One more" }.not_to change(Message, :count)
      expect(transmissions.last).to eq("type" => "error", "error" => "Rate limit exceeded", "action" => :send_message)
    end

    it "counts a user's messages over all of the user's connections" do
      30.times { |number| perform :send_message, content: "Message #{number}" }
      stub_connection current_user: user, current_account: user.account, connection_id: "two"
      subscribe room_id: room.id

      expect { perform :send_message, content: "One more" }.not_to change(Message, :count)
    end
  end

  describe "#typing" do
    before { subscribe room_id: room.id }

    it "tells the room that somebody types" do
      expect { perform :typing, typing: true }.to have_broadcasted_to(broadcasting)
        .with(hash_including(type: "typing", typing: true, user_id: user.id))
    end

    it "wants true or false" do
      expect { perform :typing, typing: "yes" }.not_to have_broadcasted_to(broadcasting)
      expect(transmissions.last["error"]).to eq("typing must be TrueClass or FalseClass")
    end
  end

  describe "#mark_read" do
    let(:colleague) { create(:user) }

    before { subscribe room_id: room.id }

    it "marks what others wrote and tells the room" do
      theirs = create(:message, chat_room: room, user: colleague)
      own = create(:message, chat_room: room, user: user)

      expect { perform :mark_read, message_ids: [ theirs.id, own.id ] }.to have_broadcasted_to(broadcasting)
        .with(hash_including(type: "read_receipt", message_ids: [ theirs.id ], user_id: user.id))
      expect(theirs.reload.read_at).to be_present
      expect(own.reload.read_at).to be_nil
    end

    it "leaves other rooms alone" do
      elsewhere = create(:message, user: colleague)

      expect { perform :mark_read, message_ids: [ elsewhere.id ] }.not_to have_broadcasted_to(broadcasting)
      expect(elsewhere.reload.read_at).to be_nil
    end

    it "wants a list of integers" do
      perform :mark_read, message_ids: [ "1" ]
      expect(transmissions.last["error"]).to eq("message_ids must hold only Integer")
    end
  end

  describe "#unsubscribed" do
    before { subscribe room_id: room.id }

    it "tells the room who left" do
      expect { subscription.unsubscribe_from_channel }.to have_broadcasted_to(broadcasting)
        .with(hash_including(type: "presence", action: "leave", online_users: []))
    end

    it "says nothing while the user is there on another connection" do
      RoomPresence.new(room).join(user, "two")

      expect { subscription.unsubscribe_from_channel }.not_to have_broadcasted_to(broadcasting)
      expect(RoomPresence.new(room).online_users.map { |person| person[:id] }).to eq([ user.id ])
    end
  end
end
