# spec/channels/chat_channel_spec.rb

require 'rails_helper'

RSpec.describe ChatChannel, type: :channel do
  let(:user) { create(:user) }
  let(:chat_room) { create(:chat_room) }
  
  before do
    # Add user as room member
    chat_room.members.create!(user: user)
    
    # Stub the connection with the current user
    stub_connection(current_user: user)
  end

  describe '#subscribed' do
    context 'when user has access to the room' do
      it 'successfully subscribes to the room stream' do
        subscribe(room_id: chat_room.id)
        
        expect(subscription).to be_confirmed
        expect(subscription).to have_stream_from("chat_room_#{chat_room.id}")
      end

      it 'broadcasts user joined message' do
        expect {
          subscribe(room_id: chat_room.id)
        }.to have_broadcasted_to("chat_room_#{chat_room.id}")
          .with(hash_including(type: 'presence', action: 'join'))
      end
    end

    context 'when user does not have access' do
      let(:other_room) { create(:chat_room) }
      
      it 'rejects the subscription' do
        subscribe(room_id: other_room.id)
        
        expect(subscription).to be_rejected
      end
    end

    context 'with invalid room id' do
      it 'rejects the subscription' do
        subscribe(room_id: 'invalid')
        
        expect(subscription).to be_rejected
      end
    end
  end

  describe '#send_message' do
    before do
      subscribe(room_id: chat_room.id)
    end

    it 'creates a message and broadcasts it' do
      expect {
        perform :send_message, content: 'Hello, world!', type: 'text'
      }.to change(Message, :count).by(1)
        .and have_broadcasted_to("chat_room_#{chat_room.id}")
        .with(hash_including(type: 'message'))
    end

    it 'ignores empty messages' do
      expect {
        perform :send_message, content: '   ', type: 'text'
      }.not_to change(Message, :count)
    end

    it 'respects rate limiting' do
      # Send 30 messages (the limit)
      30.times do |i|
        perform :send_message, content: "Message #{i}", type: 'text'
      end
      
      # The 31st should be rate limited
      expect {
        perform :send_message, content: 'One more', type: 'text'
      }.not_to change(Message, :count)
    end
  end

  describe '#typing' do
    before do
      subscribe(room_id: chat_room.id)
    end

    it 'broadcasts typing status' do
      expect {
        perform :typing, typing: true
      }.to have_broadcasted_to("chat_room_#{chat_room.id}")
        .with(hash_including(type: 'typing', typing: true, user_id: user.id))
    end
  end

  describe '#unsubscribed' do
    before do
      subscribe(room_id: chat_room.id)
    end

    it 'broadcasts user left message' do
      expect {
        subscription.unsubscribe_from_channel
      }.to have_broadcasted_to("chat_room_#{chat_room.id}")
        .with(hash_including(type: 'presence', action: 'leave'))
    end
  end
end
