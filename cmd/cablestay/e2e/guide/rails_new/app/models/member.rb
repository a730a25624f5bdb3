# frozen_string_literal: true

class Member < ApplicationRecord
  belongs_to :chat_room
  belongs_to :user
end
