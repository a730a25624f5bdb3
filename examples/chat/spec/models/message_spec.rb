# frozen_string_literal: true

RSpec.describe Message, type: :model do
  let(:user) { create(:user, name: "Ada") }
  let(:room) { create(:chat_room) }
  let(:broadcasting) { "chat_room_#{room.id}" }

  def message
    @message ||= create(:message, user: user, chat_room: room)
  end

  it "broadcasts its creation" do
    expect { message }.to have_broadcasted_to(broadcasting)
      .with(hash_including(type: "new_message", message: hash_including(content: "Hello", user_name: "Ada")))
  end

  it "broadcasts a change" do
    message
    expect { message.update!(content: "Hello again") }.to have_broadcasted_to(broadcasting)
      .with(hash_including(type: "message_updated", message: hash_including(content: "Hello again")))
  end

  it "broadcasts its end" do
    message
    expect { message.destroy! }.to have_broadcasted_to(broadcasting).with({ type: "message_deleted", message_id: message.id })
  end

  it "broadcasts nothing that was rolled back" do
    expect do
      Message.transaction(requires_new: true) do
        message
        raise ActiveRecord::Rollback
      end
    end.not_to have_broadcasted_to(broadcasting)
  end

  it "wants content, not too much of it, and a type that exists" do
    expect(Message.new(user: user, chat_room: room, content: "")).not_to be_valid
    expect(Message.new(user: user, chat_room: room, content: "x" * 10_001)).not_to be_valid
    expect(Message.new(user: user, chat_room: room, content: "x", message_type: "hologram")).not_to be_valid
  end
end
